// The API key as a file that only the program's user can read. The program's `apiKeyHelper` reads it. Built-ins only.
import { randomUUID } from 'node:crypto';
import { constants } from 'node:fs';
import { lstat, open, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';

/** Path of the key's file in a run folder. */
function keyFileIn(runDir: string): string {
  return join(runDir, 'api-key');
}

/** The owner of a file. */
export interface FileOwner {
  readonly uid: number;
  readonly gid: number;
}

/**
 * Writes the key with mode 0600, owned by `owner` if given, and returns the file's path. Only the caller may be able to
 * change the folder. Replaces an earlier file by a rename: a program may be reading it.
 */
export async function writeKeyFile(runDir: string, key: string, owner: FileOwner | undefined): Promise<string> {
  if (!(await isFolder(runDir))) throw new Error(`${runDir} is not a folder; the agent may have replaced it`);
  const draft = join(runDir, `.api-key-${randomUUID()}`);
  const handle = await open(
    draft,
    constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW,
    0o600,
  );
  try {
    await handle.writeFile(key);
    if (owner !== undefined) await handle.chown(owner.uid, owner.gid);
  } finally {
    await handle.close();
  }
  await rename(draft, keyFileIn(runDir));
  return keyFileIn(runDir);
}

/** Removes the key. No-op when there is none. */
export async function removeKeyFile(runDir: string): Promise<void> {
  if (await isFolder(runDir)) await rm(keyFileIn(runDir), { force: true });
}

/** Without namespaces, an agent can replace the folder by a link. */
async function isFolder(path: string): Promise<boolean> {
  return await lstat(path).then(
    (found) => found.isDirectory(),
    () => false,
  );
}
