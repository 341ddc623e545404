// Secrets as one 0600 file per reference in a 0700 folder.
import { mkdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import writeFileAtomic from 'write-file-atomic';
import { MurmurError } from '../../contract/wire/errors.ts';
import { checkSecretRef } from './secret-ref.ts';
import type { SecretStore } from './secret-store.ts';

/** A store in a folder, which the first write creates. Throws UNAVAILABLE, without any value, when the disk fails. */
export function createDirectorySecretStore(folder: string): SecretStore {
  const pathOf = (ref: string): string => {
    checkSecretRef(ref);
    return join(folder, `${ref}.json`);
  };
  return {
    async put(ref, values) {
      const path = pathOf(ref);
      await stored(ref, async () => {
        await mkdir(folder, { recursive: true, mode: 0o700 });
        await writeFileAtomic(path, JSON.stringify(values), { mode: 0o600 });
      });
    },
    async get(ref) {
      const path = pathOf(ref);
      return stored(ref, () => readSecrets(path));
    },
    async delete(ref) {
      const path = pathOf(ref);
      await stored(ref, () => rm(path, { force: true }));
    },
  };
}

async function readSecrets(path: string): Promise<Readonly<Record<string, string>>> {
  try {
    return JSON.parse(await readFile(path, 'utf8')) as Record<string, string>;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return {};
    throw error;
  }
}

async function stored<T>(ref: string, act: () => Promise<T>): Promise<T> {
  try {
    return await act();
  } catch (error) {
    // A parse error quotes the file's text. So the error has only the system's code, and no cause.
    const reason = (error as NodeJS.ErrnoException).code ?? 'the file is damaged';
    throw new MurmurError('UNAVAILABLE', `secret store, ${ref}: ${reason}`);
  }
}
