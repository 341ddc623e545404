// Follows log files by the system's file notifications. All followers of one log share a feed: one watch, one open
// file, and one read of each new entry.
import type { FSWatcher } from 'node:fs';
import { watch } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import type { LogEntry } from '../../contract/wire/events.ts';
import { LOG_FILE } from './agent-folder.ts';
import { LogTail } from './log-tail.ts';
import type { Place } from './log-tail.ts';

/** The system drops notifications when its queue is full (16,384 on Linux); followers then lag by this much. */
const RECHECK_MS = 5_000;
/** Without a watch, a feed polls. The system limits watches, to 8,192 on small hosts. */
const UNWATCHED_RECHECK_MS = 250;

/** The feeds of one event log. */
export class LogFeeds {
  readonly #feeds = new Map<string, LogFeed>();
  #isClosed = false;

  /** Entries above `after`, then each new one, until the signal aborts. Creates the folder if it is missing. */
  async *follow(folder: string, after: number, signal: AbortSignal): AsyncGenerator<LogEntry> {
    if (signal.aborted || this.#isClosed) return;
    const feed = this.#feeds.get(folder) ?? new LogFeed(folder);
    this.#feeds.set(folder, feed);
    feed.followers += 1;
    try {
      yield* feed.follow(after, signal);
    } finally {
      feed.followers -= 1;
      if (feed.followers === 0) {
        if (this.#feeds.get(folder) === feed) this.#feeds.delete(folder);
        await feed.close();
      }
    }
  }

  /** Ends every follower. */
  async close(): Promise<void> {
    this.#isClosed = true;
    await Promise.all([...this.#feeds.values()].map((feed) => feed.close()));
  }
}

class LogFeed {
  followers = 0;
  readonly #folder: string;
  readonly #tail: LogTail;
  readonly #waiting = new Set<() => void>();
  #opening: Promise<void> | undefined;
  #watcher: FSWatcher | undefined;
  #timer: NodeJS.Timeout | undefined;
  /** Counts noticed changes; `#looked` is the count at the last read, so nothing is read twice for one change. */
  #changes = 1;
  #looked = 0;
  #looking: Promise<void> | undefined;
  #isClosed = false;

  constructor(folder: string) {
    this.#folder = folder;
    this.#tail = new LogTail(folder);
  }

  async *follow(after: number, signal: AbortSignal): AsyncGenerator<LogEntry> {
    await (this.#opening ??= this.#open());
    let last = Math.max(0, after);
    let place: Place | undefined;
    while (!signal.aborted && !this.#isClosed) {
      const changes = this.#changes;
      await this.#look();
      const page = await this.#tail.after(last, place);
      ({ place } = page);
      for (const entry of page.entries) {
        if (signal.aborted || this.#isClosed) return;
        last = entry.id;
        yield entry;
      }
      if (page.isEnd) await this.#changeSince(changes, signal);
    }
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    clearInterval(this.#timer);
    this.#watcher?.close();
    this.#notice();
    await this.#looking?.catch(() => undefined);
    await this.#tail.close();
  }

  async #open(): Promise<void> {
    await mkdir(this.#folder, { recursive: true, mode: 0o700 });
    if (this.#isClosed) return;
    // Watches the folder, as the file may not exist yet. Starts before the first read, so that no change is missed.
    this.#watcher = tryWatch(this.#folder, () => this.#notice());
    const recheckMs = this.#watcher === undefined ? UNWATCHED_RECHECK_MS : RECHECK_MS;
    this.#timer = setInterval(() => this.#notice(), recheckMs);
  }

  /** Reads new entries. Concurrent callers share one read. */
  async #look(): Promise<void> {
    while (this.#looked < this.#changes && !this.#isClosed) {
      this.#looking ??= this.#lookOnce().finally(() => (this.#looking = undefined));
      await this.#looking;
    }
  }

  async #lookOnce(): Promise<void> {
    const changes = this.#changes;
    await this.#tail.refresh();
    this.#looked = changes;
  }

  #notice(): void {
    this.#changes += 1;
    for (const wake of this.#waiting) wake();
  }

  async #changeSince(changes: number, signal: AbortSignal): Promise<void> {
    if (this.#changes !== changes || signal.aborted || this.#isClosed) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    const wake = (): void => resolve();
    this.#waiting.add(wake);
    signal.addEventListener('abort', wake);
    try {
      await promise;
    } finally {
      this.#waiting.delete(wake);
      signal.removeEventListener('abort', wake);
    }
  }
}

function tryWatch(folder: string, notice: () => void): FSWatcher | undefined {
  try {
    const watcher = watch(folder, (_event, name) => {
      // The folder also holds the children's folders. Some systems do not report a name.
      if (name === null || name === LOG_FILE) notice();
    });
    // For example, the folder was removed while it was watched. The next read notices it.
    watcher.on('error', notice);
    return watcher;
  } catch {
    return undefined;
  }
}
