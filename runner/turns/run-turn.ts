// One turn from the prompt to the observation of what it changed.
import { setTimeout as delay } from 'node:timers/promises';
import type { RunnerTurnOutcome, TurnRequest } from '../../contract/wire/runner.ts';
import type { TurnNotice } from '../../contract/wire/turns.ts';
import type { AgentSession, BackendEvent, BackendTurnEnd } from '../backends/backend.ts';
import type { AgentProgram } from '../agent-program.ts';
import type { Isolation } from '../isolation/port.ts';
import type { Observation } from '../observation/observe.ts';
import { NO_COST } from '../../contract/wire/cost.ts';

/**
 * After an interrupt the program ends its tools, which takes some 0.1 s. A tool that does not end, because what it
 * started keeps its output open, is ended after this time.
 */
const TOOL_GRACE_MS = 1_000;
/**
 * Then the program is ended, and the next turn starts it anew: longer than it needs when the host is busy, short enough
 * that nobody asks again.
 */
const PROGRAM_GRACE_MS = 5_000;
/** A backend whose program is gone has this long to say so. */
const BACKEND_GRACE_MS = 5_000;

export interface TurnResult {
  readonly outcome: RunnerTurnOutcome;
  /** Whether the turn was ended from outside, not by the program's own end of it. */
  readonly wasCut: boolean;
}

/** How a running turn is interrupted, gets notices and reports its events. */
export interface TurnCallbacks {
  readonly interrupted: AbortSignal;
  /** Called after each tool: the notice that the model gets with the tool's result, if there is one. */
  readonly nextNotice: () => TurnNotice | undefined;
  readonly onEvent: (event: BackendEvent) => void;
}

export type RunTurn = (request: TurnRequest, callbacks: TurnCallbacks) => Promise<TurnResult>;

export interface TurnRunner {
  readonly program: AgentProgram;
  readonly containment: Isolation;
  /** What changed since it was asked last. */
  readonly observe: () => Promise<Observation>;
}

/** Runs a turn on the machine's agent program. An interrupt that comes before the prompt costs no model call. */
export async function runTurn(
  { program, containment, observe }: TurnRunner,
  request: TurnRequest,
  callbacks: TurnCallbacks,
): Promise<TurnResult> {
  const { interrupted } = callbacks;
  const began = new Date();
  const session = await program.running();
  const end = interrupted.aborted
    ? { status: 'interrupted' as const, response: '', cost: NO_COST }
    : await promptOnce({ program, containment, observe }, session, request, callbacks);
  const wasCut = interrupted.aborted && end.status !== 'completed';
  // What the turn started and left behind would go on changing files after its end.
  if (interrupted.aborted) await endLeftovers(containment, began, session);
  const { status, response, cost, error } = end;
  const observed = await observe();
  return {
    wasCut,
    outcome: {
      turn_id: request.turn_id,
      // A program that had to be ended because it did not take the interrupt did not crash.
      status: wasCut && status === 'crashed' ? 'interrupted' : status,
      response,
      cost,
      ...(error === undefined ? {} : { error }),
      ...observed,
    },
  };
}

async function promptOnce(
  runner: TurnRunner,
  session: AgentSession,
  { turn_id, prompt, report_usage: reportsUsage = false }: TurnRequest,
  { interrupted, nextNotice, onEvent }: TurnCallbacks,
): Promise<BackendTurnEnd> {
  const began = new Date();
  const settled = new AbortController();
  const given = Promise.withResolvers<BackendTurnEnd>();
  let used = 0;
  const interrupt = (): void => {
    session.interrupt().catch(() => undefined);
    escalateInterrupt(runner, session, began, settled.signal).then(
      // A backend that tells nothing more has not told the cost either: what it had told before counts.
      () => given.resolve({ status: 'interrupted', response: '', cost: { ...NO_COST, usd: used } }),
      // The turn has ended meanwhile.
      () => undefined,
    );
  };
  interrupted.addEventListener('abort', interrupt, { once: true });
  try {
    const hear = (event: BackendEvent): void => {
      if (event.type === 'usage') used = event.used_usd;
      onEvent(event);
    };
    const turn = { id: turn_id, prompt, reportsUsage, nextNotice };
    return await Promise.race([session.turn(turn, hear), given.promise]);
  } finally {
    settled.abort();
    interrupted.removeEventListener('abort', interrupt);
  }
}

/** Ends more and more of an interrupted turn until it ends. Rejects once the turn has ended. */
async function escalateInterrupt(
  { program, containment }: TurnRunner,
  session: AgentSession,
  began: Date,
  settled: AbortSignal,
): Promise<void> {
  await delay(TOOL_GRACE_MS, undefined, { signal: settled });
  await endLeftovers(containment, began, session);
  await delay(PROGRAM_GRACE_MS - TOOL_GRACE_MS, undefined, { signal: settled });
  void program.stop().catch(() => undefined);
  await delay(BACKEND_GRACE_MS, undefined, { signal: settled });
}

/** Ends what was started since then, but for the program. A process that cannot be ended must not keep the turn open. */
async function endLeftovers(containment: Isolation, since: Date, { pid }: AgentSession): Promise<void> {
  try {
    await containment.endStartedSince(since, pid === undefined ? [] : [pid]);
  } catch (error) {
    console.error(error);
  }
}
