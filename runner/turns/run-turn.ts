// Runs one turn, from the prompt to the observation of its changes.
import { setTimeout as delay } from 'node:timers/promises';
import type { RunnerTurnOutcome, TurnRequest } from '../../contract/wire/runner.ts';
import type { TurnNotice } from '../../contract/wire/turns.ts';
import type { AgentSession, BackendEvent, BackendTurnEnd } from '../backends/backend.ts';
import type { AgentProgram } from '../agent-program.ts';
import type { Isolation } from '../isolation/port.ts';
import type { Observation } from '../observation/observe.ts';
import { NO_COST } from '../../contract/wire/cost.ts';

/**
 * After an interrupt, the program ends its tools, which takes some 0.1 s. After this time, remaining processes are
 * killed: a tool may not end because a child keeps its output open.
 */
const TOOL_GRACE_MS = 1_000;
/**
 * Then the program is ended, and the next turn restarts it. Longer than a busy host needs, and short enough that people
 * do not interrupt again.
 */
const PROGRAM_GRACE_MS = 5_000;
/** A backend whose program is gone has this long to say so. */
const BACKEND_GRACE_MS = 5_000;

export interface TurnResult {
  readonly outcome: RunnerTurnOutcome;
  /** Whether the turn was ended from outside, not by the program. */
  readonly wasCut: boolean;
}

/** Inputs of a running turn, and the receiver of its events. */
export interface TurnCallbacks {
  readonly interrupted: AbortSignal;
  /** Called after each tool: the notice that the model reads with the result, if any. */
  readonly nextNotice: () => TurnNotice | undefined;
  readonly onEvent: (event: BackendEvent) => void;
}

export type RunTurn = (request: TurnRequest, callbacks: TurnCallbacks) => Promise<TurnResult>;

export interface TurnRunner {
  readonly program: AgentProgram;
  readonly containment: Isolation;
  /** What changed since the last call. */
  readonly observe: () => Promise<Observation>;
}

/** Runs a turn on the machine's agent program. After an interrupt before the prompt, there is no model request. */
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
  // Processes that the turn left running would change files after its end.
  if (interrupted.aborted) await endLeftovers(containment, began, session);
  const { status, response, cost, error } = end;
  const observed = await observe();
  return {
    wasCut,
    outcome: {
      turn_id: request.turn_id,
      // A program that was ended because it ignored the interrupt did not crash.
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
      // The backend has not reported the cost, so the usage that it had reported counts.
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

/** Ends an interrupted turn with increasing force. Rejects when `settled` aborts. */
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

/** Kills processes that were started since, except the program. The turn must end even if one cannot be killed. */
async function endLeftovers(containment: Isolation, since: Date, { pid }: AgentSession): Promise<void> {
  try {
    await containment.endStartedSince(since, pid === undefined ? [] : [pid]);
  } catch (error) {
    console.error(error);
  }
}
