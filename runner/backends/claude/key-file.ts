// The API key as a file that only the program's uid can read; the program gets it by its `apiKeyHelper`. Built-ins only.
import { randomUUID } from 'node:crypto';
import { constants } from 'node:fs';
import { lstat, open, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';

/** Where the key lies in a run folder. */
function keyFileIn(runDir: string): string {
  return join(runDir, 'api-key');
}

/** Whom a file belongs to. */
export interface FileOwner {
  readonly uid: number;
  readonly gid: number;
}

/**
 * Writes the key with mode 0600, for another user than the caller if one is given, and answers the file's path. The folder
 * is one that only the caller may change. Made under another name first: a program may be reading the one before.
 */
export async function writeKeyFile(runDir: string, key: string, owner: FileOwner | undefined): Promise<string> {
  if (!(await isFolder(runDir))) throw new Error(`${runDir} has been replaced by something that is no folder`);
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

/** Removes the key; fine when there is none. */
export async function removeKeyFile(runDir: string): Promise<void> {
  if (await isFolder(runDir)) await rm(keyFileIn(runDir), { force: true });
}

/** Without namespaces an agent can put a link there. */
async function isFolder(path: string): Promise<boolean> {
  return await lstat(path).then(
    (found) => found.isDirectory(),
    () => false,
  );
}
