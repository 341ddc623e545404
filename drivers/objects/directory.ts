// Objects as files under one folder, the key as the path.
import { mkdir, open, readdir, readFile, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { MurmurError } from '../../contract/wire/errors.ts';
import {
  createFile,
  fileGeneration,
  generationOf,
  isAbsent,
  openFile,
  writeFileFrom,
  writeFileOnce,
} from './file-stream.ts';
import type { Place } from './file-stream.ts';
import { KeyLocks } from '../key-locks.ts';
import { checkObjectKey, objectKeyProblem } from './object-key.ts';
import type { ObjectStore, WriteCondition } from './object-store.ts';
import { checkCondition, everyKey, pageLimit, pageOf } from './pages.ts';

/**
 * A store in a folder, which the first write creates. Several processes of one host may share it: a write is a rename
 * after an fsync. Throws UNAVAILABLE when the file system fails.
 */
export function createDirectoryObjectStore(folder: string): ObjectStore {
  const locks = new KeyLocks(join(folder, LOCKS));
  const pathOf = (key: string): string => {
    checkObjectKey(key);
    // With the suffix, `a` and `a/b` can both be objects: the file `a@`, and a file in the folder `a`.
    return join(folder, `${key}${SUFFIX}`);
  };
  const guarded = async (key: string, condition: WriteCondition, act: () => Promise<void>): Promise<void> =>
    await locks.exclusive(key, async () => {
      checkCondition(key, condition, await fileGeneration(pathOf(key)));
      await act();
    });
  /** Moves a draft to the object's path. Does not translate the disk's errors. */
  const placing = (key: string, condition: WriteCondition | undefined): Place => {
    const path = pathOf(key);
    if (condition === undefined) return (draft) => rename(draft, path);
    return (draft) => guarded(key, condition, () => rename(draft, path));
  };
  const store: ObjectStore = {
    async put(key, content, condition) {
      const path = pathOf(key);
      return await stored(key, async () => {
        await makeFolderOf(path);
        return await writeFileOnce(path, content, placing(key, condition));
      });
    },
    async create(key, content) {
      const path = pathOf(key);
      return await stored(key, async () => {
        await makeFolderOf(path);
        return await createFile(path, content);
      });
    },
    async get(key) {
      const path = pathOf(key);
      return await stored(key, () => unlessAbsent(readFile(path)));
    },
    async read(key) {
      const path = pathOf(key);
      return await stored(key, async () => {
        await using file = await unlessAbsent(open(path, 'r'));
        if (file === undefined) return undefined;
        // Both from the open file, so that content and generation match.
        const generation = generationOf(await file.stat({ bigint: true }));
        return { content: await file.readFile(), generation };
      });
    },
    async putStream(key, source, condition) {
      const path = pathOf(key);
      let failure: { readonly cause: unknown } | undefined;
      try {
        await makeFolderOf(path);
        return await writeFileFrom(path, source, (cause) => (failure = { cause }), placing(key, condition));
      } catch (error) {
        // An error of the source is thrown as it is. All others are the disk's.
        if (failure !== undefined) throw failure.cause;
        throw refused(key, error);
      }
    },
    async getStream(key) {
      const path = pathOf(key);
      return await stored(key, () => unlessAbsent(openFile(path)));
    },
    async delete(key, condition) {
      const path = pathOf(key);
      const remove = (): Promise<void> => rm(path, { force: true });
      await stored(key, () => (condition === undefined ? remove() : guarded(key, condition, remove)));
    },
    async page(request) {
      const limit = pageLimit(request);
      return await stored(request.prefix, async () => {
        const keys: string[] = [];
        for await (const key of keysUnder(folder, request.prefix, request.after ?? '')) {
          keys.push(key);
          if (keys.length > limit) break;
        }
        return pageOf(keys, limit);
      });
    },
    list: async (prefix) => await everyKey(store, prefix),
    // Files are open only while a call or a stream uses them.
    [Symbol.asyncDispose]: async () => {},
  };
  return store;
}

/** `@` is not valid in keys, so no key collides with a suffix, a partial file or the locks. */
const SUFFIX = '@';
const LOCKS = '@locks';

/** Keys with the prefix, after `after`, in order. Skips folders without such keys: a store holds many agents. */
async function* keysUnder(folder: string, prefix: string, after: string): AsyncGenerator<string> {
  const start = prefix.slice(0, prefix.lastIndexOf('/') + 1);
  if (start === '' || objectKeyProblem(start.slice(0, -1)) === undefined) yield* walk(start);

  async function* walk(base: string): AsyncGenerator<string> {
    for (const item of await itemsOf(join(folder, base))) {
      const path = base + item;
      // A folder's name with its slash sorts where its keys sort.
      if (!path.startsWith(prefix) && !prefix.startsWith(path)) continue;
      if (!item.endsWith('/')) {
        if (path > after) yield path;
      } else if (path > after || after.startsWith(path)) yield* walk(path);
    }
  }
}

/** The content of a folder of the store, in order: last segments of keys, and folders with a trailing slash. */
async function itemsOf(folder: string): Promise<readonly string[]> {
  const entries = (await unlessAbsent(readdir(folder, { withFileTypes: true }))) ?? [];
  return entries
    .flatMap((entry) => {
      if (entry.isDirectory()) return entry.name === LOCKS ? [] : [`${entry.name}/`];
      return entry.isFile() && entry.name.endsWith(SUFFIX) ? [entry.name.slice(0, -SUFFIX.length)] : [];
    })
    .sort();
}

async function makeFolderOf(path: string): Promise<void> {
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
}

async function unlessAbsent<T>(result: Promise<T>): Promise<T | undefined> {
  try {
    return await result;
  } catch (error) {
    if (isAbsent(error)) return undefined;
    throw error;
  }
}

async function stored<T>(key: string, act: () => Promise<T>): Promise<T> {
  try {
    return await act();
  } catch (error) {
    throw refused(key, error);
  }
}

function refused(key: string, error: unknown): MurmurError {
  if (error instanceof MurmurError) return error;
  const reason = error instanceof Error ? error.message : String(error);
  return new MurmurError('UNAVAILABLE', `object store, ${key}: ${reason}`, { cause: error });
}
