// The API key as a file that only the program's uid can read; the program gets it by its `apiKeyHelper`. Built-ins only.
import { randomUUID } from 'node:crypto';
import { constants } from 'node:fs';
import { lstat, open, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';

/** Where the key lies in a run folder. */
function keyFileIn(runDir: string): string {
  return join(runDir, 'api-key');
}

/**
 * Writes the key with mode 0600 for the owner of the folder, and answers the file's path. The folder belongs to the
 * agent: the file is made anew under a name that it cannot guess, so that nothing it prepared is written through.
 */
export async function writeKeyFile(runDir: string, key: string): Promise<string> {
  const { uid, gid } = await lstat(runDir);
  const draft = join(runDir, `.api-key-${randomUUID()}`);
  const handle = await open(
    draft,
    constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW,
    0o600,
  );
  try {
    await handle.writeFile(key);
    if (process.getuid?.() === 0) await handle.chown(uid, gid);
  } finally {
    await handle.close();
  }
  await rename(draft, keyFileIn(runDir));
  return keyFileIn(runDir);
}

/** Removes the key; fine when there is none. */
export async function removeKeyFile(runDir: string): Promise<void> {
  await rm(keyFileIn(runDir), { force: true });
}
