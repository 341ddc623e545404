// What follows a turn that failed or was cut off. Pure: contract/wire only.
import type { FollowUp, TurnError } from '../../../contract/wire/turns.ts';
import type { AgentState, CurrentTurn } from '../state.ts';
import { cutOffNote, modelErrorNote, systemNote } from './prompts.ts';

/** Crashes in a row after which the turn is continued; the next one fails the agent. */
export const CRASH_LIMIT = 3;

/** First wait after a failed model request. By then the agent program has retried for some minutes, or was refused. */
const FIRST_WAIT_MS = 5_000;
/**
 * Longest wait without a server's request: the end of an outage is noticed within this time, at four requests an hour.
 */
const LONGEST_WAIT_MS = 15 * 60_000;
/** Longest wait that a server can request; a day is the longest known quota window. */
const LONGEST_SERVER_WAIT_MS = 24 * 60 * 60_000;

/**
 * Continues a turn that was cut off. If the model never answered, the turn's inputs are sent again, because it is
 * unknown whether they arrived; otherwise the conversation has them. Returns a reason to fail after too many crashes in
 * a row.
 */
export function continueTurn(
  state: AgentState,
  turn: CurrentTurn,
  cause: 'crashed' | 'cut_off' | 'machine_lost',
  answered: boolean,
  now: string,
): string | undefined {
  if (cause !== 'cut_off') {
    state.crashes += 1;
    if (state.crashes > CRASH_LIMIT) {
      const what = cause === 'crashed' ? 'the agent program crashed' : 'the machine was lost';
      return `${what} ${state.crashes} times in a row`;
    }
  }
  const mustRepeat = ({ kind, note }: FollowUp): boolean =>
    kind !== 'system' || note === 'instructions' || note === 'budget';
  const lost = answered ? [] : turn.inputs.filter(mustRepeat);
  const note = systemNote(cutOffNote(cause, state.subject, lost.length > 0), cause, turn.number, now);
  state.due.unshift(note, ...lost);
  return undefined;
}

/**
 * Parks the agent after a failed model request. It resumes by itself if a retry can help, otherwise with the next
 * message. Either way the next turn starts with a note about the failure.
 * @param chance between 0 and 1; spreads the retries of agents that were refused together
 */
export function parkAfterModelError(
  state: AgentState,
  turn: CurrentTurn,
  error: TurnError | undefined,
  nowMs: number,
  chance: number,
): void {
  const now = new Date(nowMs).toISOString();
  state.due.unshift(systemNote(modelErrorNote(error, state.subject), 'model-error', turn.number, now));
  const message = error?.message ?? 'the model request failed';
  if (error?.retryable !== true) {
    state.parked = { reason: error === undefined ? message : `${message}; ${error.action}` };
    return;
  }
  state.api_failures += 1;
  const wait = retryWaitMs(state.api_failures, error.retry_after_ms, chance);
  state.parked = { reason: message, retry_at: new Date(nowMs + wait).toISOString() };
}

/** Milliseconds to wait before the nth attempt in a row. */
export function retryWaitMs(failures: number, askedMs: number | undefined, chance: number): number {
  if (askedMs !== undefined) return Math.min(Math.max(askedMs, 0), LONGEST_SERVER_WAIT_MS);
  const wait = Math.min(FIRST_WAIT_MS * 2 ** Math.min(failures - 1, 20), LONGEST_WAIT_MS);
  return Math.round(wait * (1 + 0.2 * chance));
}
