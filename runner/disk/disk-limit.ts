// Watches how much disk the agent's folders hold. Looking through them costs time, so the free space of the disk is looked
// at first: while it has not shrunk by what the agent may still take, the agent cannot have taken more.
import { statfs } from 'node:fs/promises';
import { setTimeout as pause } from 'node:timers/promises';
import { sizeOfFolders } from './folder-size.ts';

const MIB = 1_048_576;

/** Between looks at the free space: a fast disk takes one or two gigabytes in it. */
const LOOK_MS = 1_000;
/** Between looks through the folders when the free space tells nothing, as others may have freed some. */
const RENEW_MS = 60_000;
/** Of one core, for all agents of the process together. */
const SHARE = 0.02;
/** The same when an agent may be over its limit: then each second counts. */
const URGENT_SHARE = 0.1;

export interface DiskLimitOptions {
  /** All folders that the agent can write into; absolute. They lie on one disk. */
  readonly folders: readonly string[];
  readonly limitMb: number;
  /** Told with one sentence each time the agent has taken more than it may. */
  readonly onExcess: (message: string) => void;
  /** Between looks; a second unless given. */
  readonly lookMs?: number;
}

export class DiskLimit {
  readonly #options: DiskLimitOptions;
  readonly #closed = new AbortController();
  #measured: (Measure & { readonly at: number }) | undefined;
  readonly #ceiling: Ceiling;

  /** Begins to look at once; `close` ends it. */
  constructor(options: DiskLimitOptions) {
    this.#options = options;
    this.#ceiling = new Ceiling(this.#limit);
    void this.#watch();
  }

  /** What the agent is told with a turn while it is over its limit. */
  get note(): string | undefined {
    if (this.#measured === undefined || this.#measured.bytes <= this.#limit) return undefined;
    return `${this.#excess(this.#measured.bytes)}. Delete what you do not need before you do anything else: this turn ends when your files grow by another ${String(MARGIN_BYTES / MIB)} MiB.`;
  }

  get limitMb(): number {
    return this.#options.limitMb;
  }

  close(): void {
    this.#closed.abort();
  }

  get #limit(): number {
    return this.#options.limitMb * MIB;
  }

  async #watch(): Promise<void> {
    const { signal } = this.#closed;
    const { lookMs = LOOK_MS } = this.#options;
    while (!signal.aborted) {
      try {
        await this.#look(signal);
        await pause(lookMs, undefined, { signal, ref: false });
      } catch (error) {
        // A folder that is being made or removed; the next look finds it again.
        if (!signal.aborted) await pause(lookMs, undefined, { signal, ref: false }).catch(() => undefined);
        if (!signal.aborted) console.error('disk could not be looked at', error);
      }
    }
  }

  async #look(signal: AbortSignal): Promise<void> {
    const { folders, onExcess } = this.#options;
    const [first = '/'] = folders;
    const { bfree, bsize } = await statfs(first);
    const free = bfree * bsize;
    const before = this.#measured;
    const isUrgent = before !== undefined && this.#ceiling.mayBeExceeded(before, free);
    // Over its limit it may be cleaning up.
    const isKnown = before !== undefined && before.bytes <= this.#limit && performance.now() - before.at < RENEW_MS;
    if (isKnown && !isUrgent) return;
    const bytes = await sizeOfFolders(folders, { share: isUrgent ? URGENT_SHARE : SHARE, signal });
    this.#measured = { bytes, free, at: performance.now() };
    if (this.#ceiling.isExceeded(this.#measured)) onExcess(this.#excess(bytes));
  }

  #excess(bytes: number): string {
    const held = Number.isFinite(bytes) ? `${String(Math.ceil(bytes / MIB))} MiB` : 'more folders than can be counted';
    return `the agent's files hold ${held}; the limit is ${String(this.#options.limitMb)} MiB (limits.disk_mb of the host)`;
  }
}

/** What an agent over its limit may still write: cleaning up needs some space too. */
const MARGIN_BYTES = 64 * 1_048_576;

/** What the folders held, `Infinity` when that cannot be counted, and the free space of their disk just before. */
interface Measure {
  readonly bytes: number;
  readonly free: number;
}

/** When an agent has taken more than it may: at its limit, and above it each time that it has taken a little more. Pure. */
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
