// Retention of log files: the newest entries are written to a new file, which takes the place of the old one.
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
 * Cuts the log in the folder when nothing was written to it since `quietSince`. Answers whether it did. A writer that
 * had the old file open finds the new one in its place and writes to that again; what it wrote to the old file before
 * is handed to `late`, to be appended.
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
    // What came meanwhile: little is left for `late`.
    await copy.entries();
    // Still as quiet as it was.
    await cut.utimes(mtime, mtime);
    await rename(draft, path);
    for await (const { entry } of entriesFrom(file, copy.read)) if (entry !== undefined) await late(entry);
    return true;
  } finally {
    await rm(draft, { force: true });
  }
}

/** The position behind the entry with the id; undefined when no entry up to it is there. */
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

  /** Copies the entries that are there by now. */
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
