// Notices that wait for a turn's model. In memory: what is lost with the process is missing in the turn's outcome, and
// whoever sent it says it again. Pure.
import type { TurnNotice } from '../../contract/wire/turns.ts';

/** The notices of one turn at a time, the one that runs or comes next. */
export class WaitingNotices {
  #turnId: string | undefined;
  #waiting: TurnNotice[] = [];
  readonly #seen = new Set<string>();

  /** Keeps it for the turn, unless the turn had its id before. Another turn's notices are forgotten. */
  add(turnId: string, notice: TurnNotice): void {
    this.#turnTo(turnId);
    if (this.#seen.has(notice.id)) return;
    this.#seen.add(notice.id);
    this.#waiting.push(notice);
  }

  /** The oldest one that waits for the turn; it no longer waits then. */
  next(turnId: string): TurnNotice | undefined {
    return turnId === this.#turnId ? this.#waiting.shift() : undefined;
  }

  #turnTo(turnId: string): void {
    if (turnId === this.#turnId) return;
    this.#turnId = turnId;
    this.#waiting = [];
    this.#seen.clear();
  }
}
