// The end of one log file, read once for all its followers. A follower that is further behind reads the file itself.
import type { FileHandle } from 'node:fs/promises';
import { open, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { LogEntry } from '../../contract/wire/events.ts';
import { LOG_FILE } from './agent-folder.ts';
import type { LogPosition } from './log-file.ts';
import { entriesFrom, LOG_START, seek } from './log-file.ts';

/** Newest entries kept in memory. A follower that is further behind reads the file. */
const RECENT_ENTRIES = 500;
/** Bytes of the recent entries, and of a page of older ones. One entry may have some 100 KB. */
const PAGE_BYTES = 1_000_000;

/** Where a follower is in a file. */
export interface Place {
  readonly file: OpenFile;
  readonly position: LogPosition;
}

export interface Page {
  readonly entries: readonly LogEntry[];
  /** Whether it is the last page. */
  readonly isEnd: boolean;
  /** Where the next page begins in the file; undefined when it comes from memory. */
  readonly place: Place | undefined;
}

interface Recent {
  readonly entry: LogEntry;
  readonly bytes: number;
}

export class LogTail {
  readonly #path: string;
  #file: OpenFile | undefined;
  #end: LogPosition = LOG_START;
  #recent: Recent[] = [];
  #recentBytes = 0;

  constructor(folder: string) {
    this.#path = join(folder, LOG_FILE);
  }

  /** Reads what was appended since the last call. Calls must not overlap. */
  async refresh(): Promise<void> {
    const found = await identityOf(this.#path);
    if (this.#file !== undefined && this.#file.identity !== found) await this.#drop();
    if (found === undefined) return;
    this.#file ??= await this.#open();
    if (this.#file === undefined) return;
    for await (const { entry, position } of entriesFrom(this.#file.handle, this.#end)) {
      const bytes = position.offset - this.#end.offset;
      this.#end = position;
      if (entry !== undefined) this.#keep({ entry, bytes });
    }
  }

  /** Entries above the id, from memory or from the file. */
  async after(id: number, place: Place | undefined): Promise<Page> {
    const file = this.#file;
    const first = this.#recent[0]?.entry.id;
    if (file === undefined || id >= this.#end.state.id) return { entries: [], isEnd: true, place: undefined };
    if (first !== undefined && id + 1 >= first) {
      return { entries: this.#recent.slice(id + 1 - first).map(({ entry }) => entry), isEnd: false, place: undefined };
    }
    return await file.use(async (handle) => {
      const start = place?.file === file ? place.position : await seek(handle, (await handle.stat()).size, id);
      const entries: LogEntry[] = [];
      let position = start;
      for await (const read of entriesFrom(handle, start)) {
        position = read.position;
        if (read.entry !== undefined && read.entry.id > id) entries.push(read.entry);
        if (position.offset - start.offset >= PAGE_BYTES) break;
      }
      return { entries, isEnd: false, place: { file, position } };
    });
  }

  async close(): Promise<void> {
    await this.#drop();
  }

  async #open(): Promise<OpenFile | undefined> {
    const handle = await openLog(this.#path);
    if (handle === undefined) return undefined;
    const { size, ino, birthtimeMs } = await handle.stat();
    this.#end = await seek(handle, size, Number.POSITIVE_INFINITY);
    return new OpenFile(handle, `${ino}-${birthtimeMs}`);
  }

  async #drop(): Promise<void> {
    const file = this.#file;
    this.#file = undefined;
    this.#end = LOG_START;
    this.#recent = [];
    this.#recentBytes = 0;
    await file?.close();
  }

  #keep(recent: Recent): void {
    this.#recent.push(recent);
    this.#recentBytes += recent.bytes;
    while (this.#recent.length > RECENT_ENTRIES || (this.#recentBytes > PAGE_BYTES && this.#recent.length > 1)) {
      this.#recentBytes -= this.#recent.shift()?.bytes ?? 0;
    }
  }
}

/** An open file that is closed once its last reader is done. */
class OpenFile {
  readonly handle: FileHandle;
  /** Changes when the log is cut, or removed and created again. */
  readonly identity: string;
  #uses = 0;
  #isLeft = false;

  constructor(handle: FileHandle, identity: string) {
    this.handle = handle;
    this.identity = identity;
  }

  async use<T>(act: (handle: FileHandle) => Promise<T>): Promise<T> {
    this.#uses += 1;
    try {
      return await act(this.handle);
    } finally {
      this.#uses -= 1;
      if (this.#isLeft && this.#uses === 0) await this.handle.close();
    }
  }

  async close(): Promise<void> {
    this.#isLeft = true;
    if (this.#uses === 0) await this.handle.close();
  }
}

async function openLog(path: string): Promise<FileHandle | undefined> {
  try {
    return await open(path, 'r');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

async function identityOf(path: string): Promise<string | undefined> {
  try {
    const { ino, birthtimeMs } = await stat(path);
    return `${ino}-${birthtimeMs}`;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}
