// Files of the object store in a folder: read and written piece by piece, and made only when they are not there.
import { randomBytes } from 'node:crypto';
import { link, open, rename, rm } from 'node:fs/promises';
import type { ObjectStream } from './object-store.ts';

/**
 * Writes what comes beside the file, and puts it in its place once the source has ended and the disk has all of it. When
 * anything fails nothing stays. `onSourceError` hears of an error of the source, which is thrown as well.
 */
export async function writeFileFrom(
  path: string,
  source: AsyncIterable<Uint8Array>,
  onSourceError: (error: unknown) => void,
): Promise<number> {
  const partial = `${path}.${randomBytes(8).toString('hex')}`;
  const file = await open(partial, 'wx', 0o600);
  let bytes = 0;
  try {
    try {
      for await (const piece of heard(source, onSourceError)) {
        await file.writeFile(piece);
        bytes += piece.length;
      }
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(partial, path);
    return bytes;
  } catch (error) {
    await rm(partial, { force: true });
    throw error;
  }
}

/** Writes a file that is not there yet, whole or not at all. Answers whether it did; one that is there stays. */
export async function createFile(path: string, content: Buffer | string): Promise<boolean> {
  const partial = `${path}.${randomBytes(8).toString('hex')}`;
  const file = await open(partial, 'wx', 0o600);
  try {
    try {
      await file.writeFile(content);
      await file.sync();
    } finally {
      await file.close();
    }
    // Unlike a rename, a link does not replace what is there.
    await link(partial, path);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    return false;
  } finally {
    await rm(partial, { force: true });
  }
}

/**
 * Opens a file for reading from its start, as much of it as there is now; an open file stays readable after it is replaced.
 * Throws the system's errors.
 */
export async function openFile(path: string): Promise<ObjectStream> {
  const file = await open(path, 'r');
  try {
    const { size } = await file.stat();
    return { bytes: size, content: file.createReadStream({ end: Math.max(size - 1, 0) }) };
  } catch (error) {
    await file.close();
    throw error;
  }
}

/** Tells an error of the source from one of the file. */
async function* heard<T>(source: AsyncIterable<T>, onError: (error: unknown) => void): AsyncGenerator<T> {
  try {
    yield* source;
  } catch (error) {
    onError(error);
    throw error;
  }
}
