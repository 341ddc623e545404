// Measures the disk usage of folders that an agent writes to. Links, odd names and deep folders must not hide anything.
import { closeSync, constants, lstatSync, opendirSync, openSync } from 'node:fs';
import type { Dir } from 'node:fs';
import { rest } from './pace.ts';

/** Time for a few hundred files. A longer slice would delay the other agents of this process. */
const SLICE_MS = 4;
/** Entries between two checks of the clock. */
const ENTRIES = 32;
/** Each file counts at least this much, for its inode: a million empty files use space too. */
const LEAST_BYTES = 4_096;
const BLOCK_BYTES = 512;
/** Linux accepts paths of 4,095 bytes. Below a folder with a longer path than this, paths begin at its descriptor. */
const LONG_PATH = 3_000;
/**
 * Folders that may be open for this: they allow paths of a hundred thousand bytes. No program works with longer ones.
 */
const DESCRIPTORS = 32;
/** Most subfolders of one folder. Their names are in memory until they have been measured. */
const WIDEST = 300_000;

export interface Pace {
  /** Share of one core. */
  readonly share: number;
  readonly signal: AbortSignal;
}

/**
 * Bytes that the folders use on disk. Does not follow links, and counts a file with several names once. Unreadable
 * entries count 0. Folders that are too deep or too wide to measure count `Infinity`. Rejects when the signal aborts.
 */
export async function sizeOfFolders(folders: readonly string[], { share, signal }: Pace): Promise<number> {
  let total = 0;
  let seen = 0;
  let began = performance.now();
  for (const folder of folders) {
    for (const bytes of sizesBelow(folder)) {
      total += bytes;
      seen += 1;
      if (seen % ENTRIES !== 0) continue;
      const worked = performance.now() - began;
      if (worked < SLICE_MS) continue;
      await rest(worked, share, signal);
      began = performance.now();
    }
  }
  await rest(performance.now() - began, share, signal);
  return total;
}

/** A folder that was read, and its subfolders that were not yet. */
interface Level {
  readonly path: Buffer;
  readonly folders: Buffer[];
  /** Set when the path begins at a descriptor of the folder. */
  readonly descriptor: number | undefined;
}

const SLASH = Buffer.from('/');

function* sizesBelow(folder: string): Generator<number> {
  const levels: Level[] = [];
  try {
    yield* enter(levels, Buffer.from(folder));
    for (let level = levels.at(-1); level !== undefined; level = levels.at(-1)) {
      const name = level.folders.pop();
      if (name === undefined) leave(levels);
      else yield* enter(levels, Buffer.concat([level.path, SLASH, name]));
    }
  } finally {
    while (levels.length > 0) leave(levels);
  }
}

/**
 * Reads a folder as the new last level and yields the sizes of its entries. Nothing for a missing or unreadable one.
 */
function* enter(levels: Level[], path: Buffer): Generator<number> {
  const isDeep = path.length > LONG_PATH;
  if (isDeep && levels.filter(({ descriptor }) => descriptor !== undefined).length >= DESCRIPTORS) {
    yield Infinity;
    return;
  }
  const descriptor = isDeep ? openFolder(path) : undefined;
  const start = descriptor === undefined ? path : Buffer.from(`/proc/self/fd/${String(descriptor)}`);
  const level: Level = { path: start, folders: [], descriptor };
  levels.push(level);
  const entries = openEntries(start);
  if (entries === undefined) return;
  try {
    for (let name = nextName(entries); name !== undefined; name = nextName(entries)) {
      const found = sizeOf(Buffer.concat([start, SLASH, name]));
      yield found.bytes;
      if (found.isFolder) level.folders.push(name);
      if (level.folders.length > WIDEST) {
        yield Infinity;
        return;
      }
    }
  } finally {
    entries.closeSync();
  }
}

function leave(levels: Level[]): void {
  const descriptor = levels.pop()?.descriptor;
  if (descriptor !== undefined) closeSync(descriptor);
}

function openFolder(path: Buffer): number | undefined {
  try {
    return openSync(path, constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW);
  } catch {
    return undefined;
  }
}

/** Reads names as bytes: a name that is not UTF-8 would not be found by its text. */
function openEntries(path: Buffer): Dir | undefined {
  try {
    // Node's types only know names as text.
    return opendirSync(path, { encoding: 'buffer' as BufferEncoding });
  } catch {
    return undefined;
  }
}

function nextName(entries: Dir): Buffer | undefined {
  try {
    return entries.readSync()?.name as unknown as Buffer | undefined;
  } catch {
    return undefined;
  }
}

/** 0 for an entry that was removed meanwhile. */
function sizeOf(path: Buffer): { readonly bytes: number; readonly isFolder: boolean } {
  try {
    const found = lstatSync(path);
    const bytes = Math.max(found.blocks * BLOCK_BYTES, LEAST_BYTES);
    const isFolder = found.isDirectory();
    return { bytes: isFolder ? bytes : bytes / found.nlink, isFolder };
  } catch {
    return { bytes: 0, isFolder: false };
  }
}
