// File operations of the object store: reads and writes streams, and creates files exclusively.
import { randomBytes } from 'node:crypto';
import type { BigIntStats } from 'node:fs';
import type { FileHandle } from 'node:fs/promises';
import { link, open, rename, rm, stat } from 'node:fs/promises';
import { pipeline, Readable, Transform } from 'node:stream';
import type { Generation, ObjectStream, WrittenObject } from './object-store.ts';

/** Moves a draft to the path of the file. When it throws, the draft is removed. */
export type Place = (draft: string) => Promise<void>;

/**
 * Writes the source to a draft beside the file. Moves the draft into place once the source has ended and the disk has
 * all bytes. Removes it after any error. An error of the source is passed to `onSourceError` and thrown.
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

/** Creates a file atomically. Resolves with false, and changes nothing, when the file exists. */
export async function createFile(path: string, content: Buffer | string): Promise<boolean> {
  try {
    // Unlike rename, link does not replace an existing file.
    await writeFileOnce(path, content, (draft) => link(draft, path));
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    return false;
  }
}

/**
 * Opens a file for reading, up to its current length. An open file stays readable after it is replaced. The stream
 * fails when the file is truncated meanwhile. Throws the system's errors.
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
    // The stream owns the file: it closes it at its end and when it is destroyed, also before the first read.
    return { bytes, generation, content: whole(file.createReadStream({ end: bytes - 1 }), bytes) };
  } catch (error) {
    await file.close();
    throw error;
  }
}

/** The generation of the file at the path; undefined when the file is missing. */
export async function fileGeneration(path: string): Promise<Generation | undefined> {
  try {
    return generationOf(await stat(path, { bigint: true }));
  } catch (error) {
    if (isAbsent(error)) return undefined;
    throw error;
  }
}

/** Whether the error says that the file does not exist. */
export function isAbsent(error: unknown): boolean {
  const code = (error as NodeJS.ErrnoException).code;
  return code === 'ENOENT' || code === 'ENOTDIR';
}

/** Files are replaced and never changed, so inode and modification time identify a generation. */
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
 * The time, at least two microseconds later with each call: rounding may lose one. The system's own modification time
 * is that of its last clock tick. A file that gets the inode of a file removed in the same 4 ms would look like the
 * same generation.
 */
function uniqueSeconds(): number {
  const now = Math.round((performance.timeOrigin + performance.now()) * 1_000);
  lastMicroseconds = Math.max(now, lastMicroseconds + 2);
  return lastMicroseconds / 1_000_000;
}

/** The file's bytes, or an error when the file ends early. */
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
