// When the client repeats a request, and when it gives up.
import { setTimeout as sleep } from 'node:timers/promises';
import { MurmurError } from '../contract/wire/errors.ts';

/** First pause: a server that is being replaced on the same host is back within a second. */
const FIRST_PAUSE_MS = 100;
/** Longest pause: more would be noticed as a delay after the server is back. */
const LONGEST_PAUSE_MS = 2_000;

/** Growing pauses between attempts, until the server has not answered for too long. */
export class Backoff {
  readonly #forMs: number;
  readonly #signal: AbortSignal | undefined;
  #since = performance.now();
  #pause = FIRST_PAUSE_MS;

  constructor(forMs: number, signal: AbortSignal | undefined) {
    this.#forMs = forMs;
    this.#signal = signal;
  }

  /** The server has sent something: the time starts again. */
  renew(): void {
    this.#since = performance.now();
    this.#pause = FIRST_PAUSE_MS;
  }

  /**
   * Pauses before the next attempt. Throws the error if it is not retryable or the time is over, and the signal's
   * reason when it aborts.
   */
  async pauseAfter(error: unknown): Promise<void> {
    if (!(error instanceof MurmurError) || error.code !== 'UNAVAILABLE') throw error;
    const left = this.#forMs - (performance.now() - this.#since);
    if (left <= 0) throw error;
    await this.#sleep(Math.min(this.#pause, left));
    this.#pause = Math.min(this.#pause * 2, LONGEST_PAUSE_MS);
  }

  async #sleep(ms: number): Promise<void> {
    // Spread, so that many clients of a restarted server do not come back in the same millisecond.
    const spread = ms * (0.75 + Math.random() / 2);
    try {
      await sleep(spread, undefined, this.#signal === undefined ? {} : { signal: this.#signal });
    } catch (error) {
      this.#signal?.throwIfAborted();
      throw error;
    }
  }
}
