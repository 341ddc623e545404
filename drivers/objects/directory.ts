// Objects as files under one folder, the key as the path.
import { mkdir, readdir, readFile, rm } from 'node:fs/promises';
import { dirname, join, relative, sep } from 'node:path';
import writeFileAtomic from 'write-file-atomic';
import { MurmurError } from '../../contract/wire/errors.ts';
import { createFile, openFile, writeFileFrom } from './file-stream.ts';
import { checkObjectKey, objectKeyProblem } from './object-key.ts';
import type { ObjectStore } from './object-store.ts';

/**
 * A store in a folder, made when the first object comes. Several processes may use it: a write is a rename after an
 * fsync. UNAVAILABLE when the file system refuses.
 */
export function createDirectoryObjectStore(folder: string): ObjectStore {
  const pathOf = (key: string): string => {
    checkObjectKey(key);
    // The suffix lets `a` and `a/b` both be objects: one is the file `a@`, the other lies in the folder `a`.
    return join(folder, `${key}${SUFFIX}`);
  };
  return {
    async put(key, content) {
      const path = pathOf(key);
      await stored(key, async () => {
        await mkdir(dirname(path), { recursive: true, mode: 0o700 });
        await writeFileAtomic(path, content, { mode: 0o600 });
      });
    },
    async create(key, content) {
      const path = pathOf(key);
      return await stored(key, async () => {
        await mkdir(dirname(path), { recursive: true, mode: 0o700 });
        return await createFile(path, content);
      });
    },
    async get(key) {
      const path = pathOf(key);
      return stored(key, async () => {
        try {
          return await readFile(path);
        } catch (error) {
          if (isAbsent(error)) return undefined;
          throw error;
        }
      });
    },
    async putStream(key, source) {
      const path = pathOf(key);
      let failure: { readonly cause: unknown } | undefined;
      try {
        await mkdir(dirname(path), { recursive: true, mode: 0o700 });
        return await writeFileFrom(path, source, (cause) => (failure = { cause }));
      } catch (error) {
        // The source's own error says what is wrong with it; everything else is the disk's.
        if (failure !== undefined) throw failure.cause;
        throw refused(key, error);
      }
    },
    async getStream(key) {
      const path = pathOf(key);
      return stored(key, async () => {
        try {
          return await openFile(path);
        } catch (error) {
          if (isAbsent(error)) return undefined;
          throw error;
        }
      });
    },
    async delete(key) {
      const path = pathOf(key);
      await stored(key, () => rm(path, { force: true }));
    },
    async list(prefix) {
      return stored(prefix, () => keysUnder(folder, prefix));
    },
  };
}

/** `@` is not in the alphabet of keys, so no key collides with a suffix or a half-written file. */
const SUFFIX = '@';

async function keysUnder(folder: string, prefix: string): Promise<readonly string[]> {
  // Only the deepest folder that the prefix names is walked: a store holds many agents.
  const folderOfPrefix = prefix.slice(0, prefix.lastIndexOf('/') + 1);
  if (folderOfPrefix !== '' && objectKeyProblem(folderOfPrefix.slice(0, -1)) !== undefined) return [];
  const start = join(folder, folderOfPrefix);
  const keys: string[] = [];
  for (const entry of await filesUnder(start)) {
    const path = relative(folder, entry).split(sep).join('/');
    if (!path.endsWith(SUFFIX)) continue;
    const key = path.slice(0, -SUFFIX.length);
    if (key.startsWith(prefix)) keys.push(key);
  }
  return keys.sort();
}

async function filesUnder(folder: string): Promise<readonly string[]> {
  try {
    const entries = await readdir(folder, { recursive: true, withFileTypes: true });
    return entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  } catch (error) {
    if (isAbsent(error)) return [];
    throw error;
  }
}

function isAbsent(error: unknown): boolean {
  const code = (error as NodeJS.ErrnoException).code;
  return code === 'ENOENT' || code === 'ENOTDIR';
}

async function stored<T>(key: string, act: () => Promise<T>): Promise<T> {
  try {
    return await act();
  } catch (error) {
    throw refused(key, error);
  }
}

function refused(key: string, error: unknown): MurmurError {
  const reason = error instanceof Error ? error.message : String(error);
  return new MurmurError('UNAVAILABLE', `object store, ${key}: ${reason}`, { cause: error });
}
