// Retention of log files: writes the newest entries to a new file and replaces the old file by it.
import { randomBytes } from 'node:crypto';
import type { FileHandle } from 'node:fs/promises';
import { open, readdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { LogEntry } from '../../contract/wire/events.ts';
import { LOG_FILE } from './agent-folder.ts';
import { KEPT_ENTRIES } from './event-log.ts';
import type { LogPosition } from './log-file.ts';
import { entriesFrom, seek } from './log-file.ts';
import type { LogState } from './log-line.ts';
import { advanced, encodeBase, encodeLines } from './log-line.ts';

/** The folders below `root` that have a log. */
export async function* logFolders(root: string): AsyncGenerator<string> {
  let entries;
  try {
    entries = await readdir(root, { withFileTypes: true });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return;
    throw error;
  }
  for (const entry of entries) {
    if (entry.isDirectory()) yield* logFolders(join(root, entry.name));
    else if (entry.name === LOG_FILE) yield root;
  }
}

/**
 * Cuts the log in the folder if nothing was written to it since `quietSince`. Resolves with whether it did. A writer
 * that has the old file open notices the new one and repeats its write there. `late` appends what reached only the old
 * file.
 */
export async function cutLog(
  folder: string,
  quietSince: Date,
  late: (entry: LogEntry) => Promise<void>,
): Promise<boolean> {
  const path = join(folder, LOG_FILE);
  await using file = await open(path, 'r');
  const { size, mtime } = await file.stat();
  if (mtime >= quietSince) return false;
  let end = await seek(file, size, Number.POSITIVE_INFINITY);
  for await (const { position } of entriesFrom(file, end)) end = position;
  const before = await positionOf(file, size, end.state.id - KEPT_ENTRIES);
  if (before === undefined) return false;
  const draft = `${path}.${randomBytes(8).toString('hex')}`;
  try {
    await using cut = await open(draft, 'wx', 0o600);
    const copy = new LogCopy(file, cut, before);
    await copy.base();
    await copy.entries();
    await cut.sync();
    // Copies what came during the sync, so that little remains for `late`.
    await copy.entries();
    // A cut does not count as a write.
    await cut.utimes(mtime, mtime);
    await rename(draft, path);
    for await (const { entry } of entriesFrom(file, copy.read)) if (entry !== undefined) await late(entry);
    return true;
  } finally {
    await rm(draft, { force: true });
  }
}

/** The position after the entry with the id; undefined when the log does not hold that entry. */
async function positionOf(file: FileHandle, size: number, id: number): Promise<LogPosition | undefined> {
  let found: LogPosition | undefined;
  if (id <= 0) return undefined;
  const start = await seek(file, size, id - 1);
  for await (const { entry, position } of entriesFrom(file, start)) {
    if (entry !== undefined && entry.id > id) break;
    if (entry?.id === id) found = position;
  }
  return found;
}

/** Copies a log into an empty file, from a position on. */
class LogCopy {
  /** The position behind what was read. */
  read: LogPosition;
  readonly #from: FileHandle;
  readonly #to: FileHandle;
  #offset = 0;
  #state: LogState;

  constructor(from: FileHandle, to: FileHandle, before: LogPosition) {
    this.#from = from;
    this.#to = to;
    this.read = before;
    this.#state = before.state;
  }

  async base(): Promise<void> {
    await this.#write(Buffer.from(encodeBase(this.#state)));
  }

  /** Copies the entries up to the current end of the log. */
  async entries(): Promise<void> {
    for await (const { entry, position } of entriesFrom(this.#from, this.read)) {
      this.read = position;
      if (entry === undefined) continue;
      await this.#write(encodeLines([entry], entry.source, this.#state, this.#offset));
      this.#state = advanced(this.#state, entry.source, entry.seq);
    }
  }

  async #write(bytes: Buffer): Promise<void> {
    await this.#to.writeFile(bytes);
    this.#offset += bytes.length;
  }
}
