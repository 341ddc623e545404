// Notices that wait for delivery in a turn. In memory only: the turn's outcome lists delivered notices, and the sender
// repeats the others. Pure.
import type { TurnNotice } from '../../contract/wire/turns.ts';

/** The notices of one turn at a time: the running or the next one. */
export class WaitingNotices {
  #turnId: string | undefined;
  #waiting: TurnNotice[] = [];
  readonly #seen = new Set<string>();

  /** Stores a notice for the turn, unless the turn had its id before. Forgets the notices of other turns. */
  add(turnId: string, notice: TurnNotice): void {
    this.#turnTo(turnId);
    if (this.#seen.has(notice.id)) return;
    this.#seen.add(notice.id);
    this.#waiting.push(notice);
  }

  /** Removes and returns the oldest notice of the turn. */
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
