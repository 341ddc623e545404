// One turn from the prompt to the observation of what it changed.
import type { RunnerTurnOutcome, TurnRequest } from '../../contract/wire/runner.ts';
import type { AgentSession, BackendEvent, BackendTurnEnd } from '../../drivers/backends/backend.ts';
import type { AgentProgram } from '../agent-program.ts';
import type { Containment } from '../containment.ts';
import type { Observation } from '../observation/observe.ts';
import { NO_COST } from './outcome.ts';

/**
 * How long an interrupted turn may take to end by itself. Longer than the program needs to end its tools (about 1.5 s
 * at worst), short enough that nobody asks again; then the program is ended, and the next turn starts it anew.
 */
const INTERRUPT_PATIENCE_MS = 5_000;

export interface TurnResult {
  readonly outcome: RunnerTurnOutcome;
  /** Whether the turn was ended from outside, not by the program's own end of it. */
  readonly wasCut: boolean;
}

export type RunTurn = (
  request: TurnRequest,
  interrupted: AbortSignal,
  onEvent: (event: BackendEvent) => void,
) => Promise<TurnResult>;

export interface TurnRunner {
  readonly program: AgentProgram;
  readonly containment: Containment;
  /** What changed since it was asked last. */
  readonly observe: () => Promise<Observation>;
}

/** Runs a turn on the machine's agent program. An interrupt that comes before the prompt costs no model call. */
export async function runTurn(
  { program, containment, observe }: TurnRunner,
  request: TurnRequest,
  interrupted: AbortSignal,
  onEvent: (event: BackendEvent) => void,
): Promise<TurnResult> {
  const began = new Date();
  const session = await program.running();
  const end = interrupted.aborted
    ? { status: 'interrupted' as const, response: '', cost: NO_COST }
    : await promptOnce(program, session, request, interrupted, onEvent);
  const wasCut = interrupted.aborted && end.status !== 'completed';
  // What the turn started and left behind would go on changing files after its end.
  if (interrupted.aborted) await containment.endStartedSince(began, session.pid === undefined ? [] : [session.pid]);
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
  program: AgentProgram,
  session: AgentSession,
  { turn_id, prompt }: TurnRequest,
  interrupted: AbortSignal,
  onEvent: (event: BackendEvent) => void,
): Promise<BackendTurnEnd> {
  let impatience: NodeJS.Timeout | undefined;
  const interrupt = (): void => {
    impatience = setTimeout(() => void program.stop(), INTERRUPT_PATIENCE_MS);
    session.interrupt().catch(() => undefined);
  };
  interrupted.addEventListener('abort', interrupt, { once: true });
  try {
    return await session.turn({ id: turn_id, prompt }, onEvent);
  } finally {
    clearTimeout(impatience);
    interrupted.removeEventListener('abort', interrupt);
  }
}
