// Files that only the agent's user may read, in a folder that only the caller may change. Built-ins only.
import { randomUUID } from 'node:crypto';
import { constants } from 'node:fs';
import { lstat, open, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';

/** The user and group that own a file. */
export interface FileOwner {
  readonly uid: number;
  readonly gid: number;
}

/**
 * Writes the text with mode 0600, owned by `owner` or else by the caller, and answers the file's path. The file is
 * written under another name and then renamed, because a program may be reading the previous one.
 */
export async function writePrivateFile(
  folder: string,
  name: string,
  text: string,
  owner: FileOwner | undefined,
): Promise<string> {
  if (!(await isFolder(folder))) throw new Error(`${folder} has been replaced by something that is no folder`);
  const draft = join(folder, `.${name}-${randomUUID()}`);
  const handle = await open(
    draft,
    constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW,
    0o600,
  );
  try {
    await handle.writeFile(text);
    if (owner !== undefined) await handle.chown(owner.uid, owner.gid);
  } finally {
    await handle.close();
  }
  const file = join(folder, name);
  await rename(draft, file);
  return file;
}

/** Removes the file. No-op when there is none. */
export async function removePrivateFile(folder: string, name: string): Promise<void> {
  if (await isFolder(folder)) await rm(join(folder, name), { force: true });
}

/** Without namespaces an agent can put a link there. */
async function isFolder(path: string): Promise<boolean> {
  return await lstat(path).then(
    (found) => found.isDirectory(),
    () => false,
  );
}
