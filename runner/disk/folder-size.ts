// How much disk folders hold that an agent writes into: it may hide nothing by links, odd names or deep folders.
import { closeSync, constants, lstatSync, opendirSync, openSync } from 'node:fs';
import type { Dir } from 'node:fs';
import { rest } from './pace.ts';

/** A look at a few hundred files; more would keep the other agents of this process waiting. */
const SLICE_MS = 4;
/** Entries between two looks at the clock. */
const ENTRIES = 32;
/** What the system keeps of a file beside its content, so that a million empty ones are not nothing. */
const LEAST_BYTES = 4_096;
const BLOCK_BYTES = 512;
/** Linux takes paths of 4,095 bytes; below a folder with a longer one than this, paths begin at its descriptor. */
const LONG_PATH = 3_000;
/** Folders that are open for that at once: a path of a hundred thousand bytes. No program works there. */
const DESCRIPTORS = 32;
/** Folders that lie side by side; their names are kept while they are looked through one after the other. */
const WIDEST = 300_000;

export interface Pace {
  /** Of one core. */
  readonly share: number;
  readonly signal: AbortSignal;
}

/**
 * Bytes that the folders hold on disk. Links are not followed, and a file with several names counts once in all. What
 * cannot be read counts as nothing, what is too deep or too wide to be looked through as endless. Rejects when the signal
 * aborts.
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

/** A folder that has been read, and folders in it that have not. */
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

/** Sizes of all that lies in the folder, which is then the last level. Nothing for one that has gone or is closed to us. */
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

/** Names are bytes: as text, one that is no UTF-8 would not be found. */
function openEntries(path: Buffer): Dir | undefined {
  try {
    // The types of Node know names as text only.
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

/** Nothing for what has gone meanwhile. */
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
