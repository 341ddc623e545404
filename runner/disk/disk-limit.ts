// Watches the disk usage of the agent's folders. Measuring them takes time, so it checks the disk's free space first:
// while that has not shrunk by the agent's remaining space, the agent cannot have exceeded its limit.
import { sizeOfFolders } from './folder-size.ts';
import { watchFreeSpace } from './free-space.ts';

const MIB = 1_048_576;

/** Interval of checks of the free space. A fast disk can store one or two gigabytes in it. */
const LOOK_MS = 1_000;
/** A measure of the folders is renewed after this time: others may have freed space meanwhile. */
const RENEW_MS = 60_000;
/** Share of one core for measuring, for all agents of the process together. */
const SHARE = 0.02;
/** The share when an agent may be over its limit: then each second counts. */
const URGENT_SHARE = 0.1;

/** A reason of its own: the default one is an error with a stack, made at the end of each agent. */
const CLOSED = 'the runner stops';

export interface DiskLimitOptions {
  /** Absolute paths of all folders that the agent can write to. They are on one disk. */
  readonly folders: readonly string[];
  readonly limitMb: number;
  /**
   * Called with a sentence each time the agent exceeds its limit.
   * @param isAgain whether its files have grown although they were over the limit before
   */
  readonly onExcess: (message: string, isAgain: boolean) => void;
  /** Interval of checks in milliseconds; a second unless given. */
  readonly lookMs?: number;
}

export class DiskLimit {
  readonly #options: DiskLimitOptions;
  readonly #closed = new AbortController();
  readonly #unwatch: () => void;
  #isMeasuring = false;
  #measured: (Measure & { readonly at: number }) | undefined;
  readonly #ceiling: Ceiling;

  /** Starts watching at once; `close` ends it. */
  constructor(options: DiskLimitOptions) {
    this.#options = options;
    this.#ceiling = new Ceiling(this.#limit);
    const { folders, lookMs = LOOK_MS } = options;
    this.#unwatch = watchFreeSpace(folders[0] ?? '/', lookMs, (free) => this.#look(free));
  }

  /** The note for the agent's next turn while it is over its limit. */
  get note(): string | undefined {
    if (this.#measured === undefined || this.#measured.bytes <= this.#limit) return undefined;
    return `${this.#excess(this.#measured.bytes)}. Delete what you do not need before you do anything else: this turn ends when your files grow by another ${String(MARGIN_BYTES / MIB)} MiB.`;
  }

  get limitMb(): number {
    return this.#options.limitMb;
  }

  close(): void {
    this.#unwatch();
    this.#closed.abort(CLOSED);
  }

  get #limit(): number {
    return this.#options.limitMb * MIB;
  }

  #look(free: number): void {
    if (this.#isMeasuring || this.#closed.signal.aborted) return;
    const before = this.#measured;
    const isUrgent = before !== undefined && this.#ceiling.mayBeExceeded(before, free);
    // An agent over its limit may be cleaning up, so measure again.
    const isKnown = before !== undefined && before.bytes <= this.#limit && performance.now() - before.at < RENEW_MS;
    if (!isKnown || isUrgent) void this.#measure(free, isUrgent ? URGENT_SHARE : SHARE);
  }

  /** Never rejects: a folder may be being created or removed, and the next look measures again. */
  async #measure(free: number, share: number): Promise<void> {
    const { folders, onExcess } = this.#options;
    const { signal } = this.#closed;
    this.#isMeasuring = true;
    try {
      const bytes = await sizeOfFolders(folders, { share, signal });
      const wasOver = (this.#measured?.bytes ?? 0) > this.#limit;
      this.#measured = { bytes, free, at: performance.now() };
      if (this.#ceiling.isExceeded(this.#measured)) onExcess(this.#excess(bytes), wasOver);
    } catch (error) {
      if (!signal.aborted) console.error('the disk usage could not be measured', error);
    } finally {
      this.#isMeasuring = false;
    }
  }

  #excess(bytes: number): string {
    const held = Number.isFinite(bytes) ? `${String(Math.ceil(bytes / MIB))} MiB` : 'more folders than can be counted';
    return `the agent's files hold ${held}; the limit is ${String(this.#options.limitMb)} MiB (limits.disk_mb of the host)`;
  }
}

/** Bytes that an agent over its limit may still write: cleaning up needs space too. */
const MARGIN_BYTES = 64 * 1_048_576;

/** The size of the folders (`Infinity` if it cannot be measured) and the disk's free space just before. */
interface Measure {
  readonly bytes: number;
  readonly free: number;
}

/** Decides when an agent exceeds its limit: at the limit, and above it after each further `MARGIN_BYTES`. Pure. */
export class Ceiling {
  readonly #limit: number;
  /** Bytes that the folders may hold: the limit or, above it, the last size plus the margin. */
  #bytes: number;
  /** The free space when the folders were last too large to measure; undefined once they can be measured. */
  #uncounted: number | undefined;

  constructor(limitBytes: number) {
    this.#limit = limitBytes;
    this.#bytes = limitBytes;
  }

  /** Whether the folders exceed the ceiling. Raises the ceiling then, so that each excess is reported once. */
  isExceeded({ bytes, free }: Measure): boolean {
    // Cleaning up what cannot be measured takes long. A report at each check would end every turn of the clean-up.
    const isReported = this.#uncounted !== undefined && this.#uncounted - free <= MARGIN_BYTES;
    const isOver = bytes > this.#bytes;
    if (bytes <= this.#limit) this.#bytes = this.#limit;
    else if (isOver && Number.isFinite(bytes)) this.#bytes = bytes + MARGIN_BYTES;
    if (Number.isFinite(bytes)) this.#uncounted = undefined;
    else if (!isReported) this.#uncounted = free;
    return isOver && !isReported;
  }

  /** Whether the ceiling may be exceeded, if the agent took all the space that the disk lost since a measure. */
  mayBeExceeded({ bytes, free }: Measure, freeNow: number): boolean {
    const lost = free - freeNow;
    return Number.isFinite(bytes) ? bytes + Math.max(lost, 0) > this.#bytes : lost > MARGIN_BYTES;
  }
}
