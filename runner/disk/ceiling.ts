// When an agent has taken more disk than it may: at its limit, and above it each time that it has taken a little more. Pure.

/** What an agent over its limit may still write: cleaning up needs some space too. */
export const MARGIN_BYTES = 64 * 1_048_576;

/** What the folders held, `Infinity` when that cannot be counted, and the free space of their disk just before. */
export interface Measure {
  readonly bytes: number;
  readonly free: number;
}

export class Ceiling {
  readonly #limit: number;
  /** Bytes that the folders may hold: the limit or, above it, what they held and the margin. */
  #bytes: number;
  /** The free space when the folders were last found to hold more than can be counted; undefined once they can be. */
  #uncounted: number | undefined;

  constructor(limitBytes: number) {
    this.#limit = limitBytes;
    this.#bytes = limitBytes;
  }

  /** Whether more is held than may be, which is then what may be held from now on: told once for each excess. */
  isExceeded({ bytes, free }: Measure): boolean {
    // Cleaning up what cannot be counted takes many looks: told of it again at each, the agent would never get done.
    const isTold = this.#uncounted !== undefined && this.#uncounted - free <= MARGIN_BYTES;
    const isOver = bytes > this.#bytes;
    if (bytes <= this.#limit) this.#bytes = this.#limit;
    else if (isOver && Number.isFinite(bytes)) this.#bytes = bytes + MARGIN_BYTES;
    if (Number.isFinite(bytes)) this.#uncounted = undefined;
    else if (!isTold) this.#uncounted = free;
    return isOver && !isTold;
  }

  /** Whether that may be so, when the agent has taken all that the disk has lost since a measure. */
  mayBeExceeded({ bytes, free }: Measure, freeNow: number): boolean {
    const lost = free - freeNow;
    return Number.isFinite(bytes) ? bytes + Math.max(lost, 0) > this.#bytes : lost > MARGIN_BYTES;
  }
}
