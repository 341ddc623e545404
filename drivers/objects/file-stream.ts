// Files of the object store in a folder: read and written piece by piece, and made only when they are not there.
import { randomBytes } from 'node:crypto';
import type { BigIntStats } from 'node:fs';
import type { FileHandle } from 'node:fs/promises';
import { link, open, rename, rm, stat } from 'node:fs/promises';
import { pipeline, Readable, Transform } from 'node:stream';
import type { Generation, ObjectStream, WrittenObject } from './object-store.ts';

/** Puts a draft in the place of a file. Whatever it throws, nothing of the draft stays. */
export type Place = (draft: string) => Promise<void>;

/**
 * Writes what comes beside the file, and puts it in its place once the source has ended and the disk has all of it.
 * When anything fails nothing stays. `onSourceError` hears of an error of the source, which is thrown as well.
 */
export async function writeFileFrom(
  path: string,
  source: AsyncIterable<Uint8Array>,
  onSourceError: (error: unknown) => void,
  place: Place = (draft) => rename(draft, path),
): Promise<WrittenObject> {
  let bytes = 0;
  const generation = await writeDraft(
    path,
    async (file) => {
      for await (const piece of withErrorListener(source, onSourceError)) {
        await file.writeFile(piece);
        bytes += piece.length;
      }
    },
    place,
  );
  return { bytes, generation };
}

/** `writeFileFrom` for content in memory. */
export async function writeFileOnce(path: string, content: Buffer | string, place: Place): Promise<Generation> {
  return await writeDraft(path, (file) => file.writeFile(content), place);
}

/** Writes a file that is not there yet, whole or not at all. Answers whether it did; one that is there stays. */
export async function createFile(path: string, content: Buffer | string): Promise<boolean> {
  try {
    // Unlike a rename, a link does not replace what is there.
    await writeFileOnce(path, content, (draft) => link(draft, path));
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    return false;
  }
}

/**
 * Opens a file for reading from its start, as much of it as there is now; an open file stays readable after it is
 * replaced. A file that is cut while it is read ends in an error. Throws the system's errors.
 */
export async function openFile(path: string): Promise<ObjectStream> {
  const file = await open(path, 'r');
  try {
    const found = await file.stat({ bigint: true });
    const bytes = Number(found.size);
    const generation = generationOf(found);
    if (bytes === 0) {
      await file.close();
      return { bytes, generation, content: Readable.from([], { objectMode: false }) };
    }
    // The stream owns the file: it closes it at its end and when it is destroyed, also before it was read.
    return { bytes, generation, content: whole(file.createReadStream({ end: bytes - 1 }), bytes) };
  } catch (error) {
    await file.close();
    throw error;
  }
}

/** The generation of the file at the path; undefined when there is none. */
export async function fileGeneration(path: string): Promise<Generation | undefined> {
  try {
    return generationOf(await stat(path, { bigint: true }));
  } catch (error) {
    if (isAbsent(error)) return undefined;
    throw error;
  }
}

/** Whether the system says that there is no such file. */
export function isAbsent(error: unknown): boolean {
  const code = (error as NodeJS.ErrnoException).code;
  return code === 'ENOENT' || code === 'ENOTDIR';
}

/**
 * A file is replaced by another, never changed: the number of its inode and the time of its writing tell it from
 * others.
 */
export function generationOf({ ino, mtimeNs }: BigIntStats): Generation {
  return `${ino.toString(36)}-${mtimeNs.toString(36)}`;
}

async function writeDraft(path: string, write: (file: FileHandle) => Promise<void>, place: Place): Promise<Generation> {
  const draft = `${path}.${randomBytes(8).toString('hex')}`;
  const file = await open(draft, 'wx', 0o600);
  try {
    let generation: Generation;
    try {
      await write(file);
      const time = uniqueSeconds();
      await file.utimes(time, time);
      await file.sync();
      generation = generationOf(await file.stat({ bigint: true }));
    } finally {
      await file.close();
    }
    await place(draft);
    return generation;
  } finally {
    await rm(draft, { force: true });
  }
}

let lastMicroseconds = 0;

/**
 * The time, later with each call by two microseconds at least, as one may be lost in rounding. The system's own time of
 * a write is that of its last tick: a file that is removed and another one that gets its inode in the same 4 ms would
 * be one generation.
 */
function uniqueSeconds(): number {
  const now = Math.round((performance.timeOrigin + performance.now()) * 1_000);
  lastMicroseconds = Math.max(now, lastMicroseconds + 2);
  return lastMicroseconds / 1_000_000;
}

/** The file's bytes, or an error when it ends before its time. */
function whole(file: Readable, bytes: number): Readable {
  let missing = bytes;
  const checked = new Transform({
    transform: (piece: Buffer, _encoding, done) => {
      missing -= piece.length;
      done(null, piece);
    },
    flush: (done) => done(missing === 0 ? null : new Error(`the file ended ${missing} bytes too soon`)),
  });
  // Destroying one stream destroys the other; `checked` reports errors to the reader.
  pipeline(file, checked, () => undefined);
  return checked;
}

/** Tells an error of the source from one of the file. */
async function* withErrorListener<T>(source: AsyncIterable<T>, onError: (error: unknown) => void): AsyncGenerator<T> {
  try {
    yield* source;
  } catch (error) {
    onError(error);
    throw error;
  }
}
