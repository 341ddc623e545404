// Decides when to retry and when to give up.
import { setTimeout as sleep } from 'node:timers/promises';
import { MurmurError } from '../contract/wire/errors.ts';

/** First pause: a server that restarts on the same host is back within a second. */
const FIRST_PAUSE_MS = 100;
/** Longest pause: a longer one would be noticeable after the server is back. */
const LONGEST_PAUSE_MS = 2_000;

/** Pauses between attempts, until the time limit without success. */
export class Backoff {
  readonly #forMs: number;
  readonly #signal: AbortSignal | undefined;
  #since = performance.now();
  #pause = FIRST_PAUSE_MS;

  constructor(forMs: number, signal: AbortSignal | undefined) {
    this.#forMs = forMs;
    this.#signal = signal;
  }

  /** The server has answered: restarts the time limit. */
  renew(): void {
    this.#since = performance.now();
    this.#pause = FIRST_PAUSE_MS;
  }

  /**
   * Pauses before the next attempt after this error, and reports the error first. Throws the error when a retry cannot help or the time limit is
   * reached, and the signal's reason when it aborts.
   */
  async pauseAfter(error: unknown, onRetry?: (error: MurmurError) => void): Promise<void> {
    if (!(error instanceof MurmurError) || error.code !== 'UNAVAILABLE') throw error;
    const left = this.#forMs - (performance.now() - this.#since);
    if (left <= 0) throw error;
    onRetry?.(error);
    await this.#sleep(Math.min(this.#pause, left));
    this.#pause = Math.min(this.#pause * 2, LONGEST_PAUSE_MS);
  }

  async #sleep(ms: number): Promise<void> {
    // Jitter, so that many clients of a restarted server do not reconnect in the same millisecond.
    const spread = ms * (0.75 + Math.random() / 2);
    try {
      await sleep(spread, undefined, this.#signal === undefined ? {} : { signal: this.#signal });
    } catch (error) {
      this.#signal?.throwIfAborted();
      throw error;
    }
  }
}
