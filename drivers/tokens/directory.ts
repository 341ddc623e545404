// Tokens as one 0600 file each in a 0700 folder. Server and worker share it. Deleting a file revokes its token at once.
import { mkdir, readdir, readFile, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import writeFileAtomic from 'write-file-atomic';
import { MurmurError } from '../../contract/wire/errors.ts';
import { isTokenId } from './token.ts';
import type { StoredToken, TokenStore } from './token-store.ts';

const ENDING = '.json';

/**
 * A folder's modification time advances with the kernel's clock tick, 1 to 10 ms. Two changes in one tick look like
 * one.
 */
const TICK_MS = 50;

/** A store in a folder, which the first write creates. Throws UNAVAILABLE when the disk fails. */
export function createDirectoryTokenStore(folder: string): TokenStore {
  const pathOf = (id: string): string => join(folder, `${id}${ENDING}`);
  const read = async (id: string): Promise<StoredToken | undefined> => {
    const text = await unlessMissing(() => readFile(pathOf(id), 'utf8'));
    try {
      return text === undefined ? undefined : (JSON.parse(text) as StoredToken);
    } catch {
      // A damaged entry matches no token.
      return undefined;
    }
  };
  return {
    async put(entry) {
      checkId(entry.id);
      await stored(async () => {
        await mkdir(folder, { recursive: true, mode: 0o700 });
        await writeFileAtomic(pathOf(entry.id), JSON.stringify(entry), { mode: 0o600 });
      });
    },
    async get(id) {
      return isTokenId(id) ? read(id) : undefined;
    },
    async list() {
      const names = (await unlessMissing(() => readdir(folder))) ?? [];
      const ids = names.filter((name) => name.endsWith(ENDING)).map((name) => name.slice(0, -ENDING.length));
      const entries = await Promise.all(ids.filter(isTokenId).map(read));
      return entries.filter((entry) => entry !== undefined);
    },
    async version() {
      const found = await unlessMissing(() => stat(folder));
      if (found === undefined) return 'absent';
      const version = `${String(found.ino)}:${String(found.mtimeMs)}`;
      const isSettled = Math.abs(Date.now() - found.mtimeMs) > TICK_MS;
      return isSettled ? version : `${version}:${String(process.hrtime.bigint())}`;
    },
    async delete(id) {
      if (!isTokenId(id)) return false;
      return (await unlessMissing(() => rm(pathOf(id)).then(() => true))) ?? false;
    },
  };
}

function checkId(id: string): void {
  if (!isTokenId(id)) throw new MurmurError('INVALID_ARGUMENT', `token id ${JSON.stringify(id)} is not valid`);
}

async function unlessMissing<T>(act: () => Promise<T>): Promise<T | undefined> {
  return stored(async () => {
    try {
      return await act();
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
      throw error;
    }
  });
}

async function stored<T>(act: () => Promise<T>): Promise<T> {
  try {
    return await act();
  } catch (error) {
    const reason = (error as NodeJS.ErrnoException).code ?? String(error);
    throw new MurmurError('UNAVAILABLE', `token store: ${reason}`, { cause: error });
  }
}
