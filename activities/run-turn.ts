// Runs a turn: requested once, followed to its end by the current attempt, its snapshot stored.
import { Context } from '@temporalio/activity';
import { ApplicationFailure } from '@temporalio/common';
import type { RunTurnInput } from '../contract/wire/activities.ts';
import type { SourcedEvent } from '../contract/wire/events.ts';
import { MurmurError } from '../contract/wire/errors.ts';
import { defined } from '../contract/wire/defined.ts';
import { workflowIdOf } from '../contract/wire/identity.ts';
import type { TurnReply } from '../contract/wire/runner.ts';
import type { TurnOutcome } from '../contract/wire/turns.ts';
import type { Machine } from '../drivers/machines/provider.ts';
import type { RunnerClient } from '../drivers/machines/runner-client.ts';
import { callingWorkflow } from './admission.ts';
import type { Admission, Admitted } from './admission.ts';
import { withHeartbeat, abortableLease, abortable } from './activity-scope.ts';
import type { ActivityScope } from './activity-scope.ts';
import { toFailure } from './failure.ts';
import { reachRunner } from './machine.ts';
import type { AgentPorts } from './ports.ts';
import { inputSummaries, joinedPrompt } from './prompt.ts';
import { publishOffered } from '../agents/log.ts';
import { pumpEvents } from './pump.ts';
import type { Sessions } from './sessions.ts';
import { storeSnapshot } from '../agents/snapshots.ts';
import type { LatestAttempt } from './latest-attempt.ts';
import { usageReporter } from './usage-report.ts';

/** State that an attempt passes to the next one in its heartbeats. */
interface Progress {
  /** Attempts in a row that did not reach the runner. */
  failures: number;
  /** The last event number in the log, for people. */
  seq: number;
}

/** First and longest wait between attempts that do not reach the runner. */
const FIRST_WAIT_MS = 100;
const LONGEST_WAIT_MS = 10_000;
/**
 * Failed attempts in a row after which the turn is given up, some four minutes. A runner that has not started by then
 * will not start by itself, and the agent must report it.
 */
const FAILURES = 30;

export interface TurnContext {
  readonly ports: AgentPorts;
  readonly admission: Admission;
  readonly latestAttempt: LatestAttempt;
  readonly sessions: Sessions;
}

/**
 * Two of the five seconds after which a worker counts as dead. Hundreds of turns may run for hours; a heartbeat per
 * second would keep a third of a core busy. An interrupt ends a turn, so nobody waits for a cancellation.
 */
const HEARTBEAT_MS = 2_000;

/** `runTurn`, with one pump per agent in this worker. */
export async function runTurn(context: TurnContext, input: RunTurnInput): Promise<TurnOutcome> {
  const { ports, latestAttempt, admission } = context;
  const before = Context.current().info.heartbeatDetails as Partial<Progress> | undefined;
  const progress: Progress = { failures: 0, seq: 0, ...before };
  try {
    const spec = await admission.admit(callingWorkflow(), input);
    const admitted = { ...input, spec };
    return await latestAttempt.takeOver(workflowIdOf(spec.identity), (superseded) =>
      withHeartbeat(ports.handover, (scope) => watchTurn(context, admitted, scope, progress), {
        details: () => ({ ...progress }),
        superseded,
        heartbeatMs: HEARTBEAT_MS,
      }),
    );
  } catch (error) {
    throw paced(error, progress);
  }
}

async function watchTurn(
  context: TurnContext,
  input: Admitted<RunTurnInput>,
  scope: ActivityScope,
  progress: Progress,
): Promise<TurnOutcome> {
  const { ports } = context;
  progress.failures += 1;
  await using reached = await abortableLease(scope, reachRunner(ports, input.spec, { turn: input.turn_id }));
  const { machine, runner } = reached;
  try {
    const outcome = await follow(context, machine, runner, input, scope, progress);
    const snapshot = await abortable(scope, saveTurn(ports, input, machine, runner));
    return { ...outcome, ...(snapshot === undefined ? {} : { snapshot }) };
  } catch (error) {
    if (scope.signal.aborted && scope.cancelRequested) await runner.interrupt({ turn_id: input.turn_id });
    throw error;
  }
}

/** Starts the turn or re-attaches to it, and copies its events until the log has all of them. */
async function follow(
  { ports, sessions }: TurnContext,
  machine: Machine,
  runner: RunnerClient,
  input: Admitted<RunTurnInput>,
  scope: ActivityScope,
  progress: Progress,
): Promise<TurnOutcome> {
  const { spec, session_id, turn_id, number, inputs, report_at_usd: reportAt } = input;
  const agent = workflowIdOf(spec.identity);
  const prompt = await joinedPrompt(ports, agent, inputs);
  await publishOffered(ports, agent, input.events);
  const report_usage = reportAt !== undefined;
  const ask = (): Promise<TurnReply> =>
    runner.turn({ turn_id, number, prompt, inputs: inputSummaries(inputs), ...(report_usage ? { report_usage } : {}) });
  const onUsage = usageReporter(ports, agent, turn_id, reportAt);
  const site = { spec, machine, runner, ...defined({ session_id }) };
  let opened = await sessions.ensureOpen(site, scope.signal);
  // The log is read before the turn's state is requested: otherwise the turn's end could fall in between and never be
  // seen.
  progress.seq = await ports.events.lastSeq(agent, 'runner');
  let reply = await ask().catch(async (error: unknown) => {
    if (!(error instanceof MurmurError) || error.code !== 'FAILED_PRECONDITION') throw error;
    opened = await sessions.open(site, scope.signal);
    return await ask();
  });
  progress.failures = 0;
  while (reply.end_seq === undefined || progress.seq < reply.end_seq) {
    const stopAt = reply.end_seq ?? Infinity;
    let ended: TurnReply | undefined;
    await pumpEvents(
      { runner, events: ports.events, agent, turn: { turn_id, onEnd: (answer) => (ended = answer) } },
      progress.seq,
      scope.signal,
      (batch) => {
        onUsage(batch);
        return batch.some((each) => each.seq >= stopAt || endsTurn(each, turn_id));
      },
      (seq) => (progress.seq = seq),
    );
    if (scope.signal.aborted) throw scope.reason();
    // A runner of an earlier build does not send the outcome with the events.
    reply = ended ?? (await ask());
  }
  if (reply.outcome === undefined) throw new Error(`turn ${turn_id} has ended without an outcome`);
  return { ...reply.outcome, ...defined({ session_id: opened?.session_id }) };
}

function endsTurn({ event }: SourcedEvent, turnId: string): boolean {
  return event.type === 'turn_complete' && event.turn_id === turnId;
}

/** Stores the snapshot and returns its key. Returns undefined if it failed; the turn then counts as not saved. */
async function saveTurn(
  ports: AgentPorts,
  { spec, number }: Admitted<RunTurnInput>,
  machine: Machine,
  runner: RunnerClient,
): Promise<string | undefined> {
  try {
    return await storeSnapshot(ports.objects, spec, machine, await runner.snapshot());
  } catch (error) {
    ports.report('snapshot failed', { agent: workflowIdOf(spec.identity), turn: number, error: String(error) });
    return undefined;
  }
}

/** Sets the delay of a retryable failure; makes it non-retryable after too many in a row. */
function paced(error: unknown, { failures }: Progress): Error {
  const failure = toFailure(error, Context.current().info.attempt);
  if (!(failure instanceof ApplicationFailure) || failure.nonRetryable === true) return failure;
  // A handover has its own delay.
  if (failure.nextRetryDelay !== undefined) return failure;
  return ApplicationFailure.create({
    type: failure.type ?? 'INTERNAL',
    message: failure.message,
    details: failure.details ?? [],
    nonRetryable: failures >= FAILURES,
    nextRetryDelay: Math.min(FIRST_WAIT_MS * 2 ** Math.max(failures - 1, 0), LONGEST_WAIT_MS),
  });
}
