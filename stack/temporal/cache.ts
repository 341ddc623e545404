// The cache folder of the Temporal binary. Two concurrent processes make the binary only once: the maker holds a lock,
// works in its own folder and renames the finished file into place.
import { mkdtemp, readdir, rename, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { ensureFolder } from '../../config/folder.ts';
import { acquireLock } from '../lock.ts';
import { TEMPORAL_RELEASE } from './release.ts';

/** Name of the binary's folder inside a cache folder. Each release has its own. */
const FOLDER = `temporal-${TEMPORAL_RELEASE.cli}`;

/**
 * A killed holder's lock is free after this time. The holder renews the lock while it works; on a machine under load,
 * its timers may be seconds late.
 */
const LOCK_STALE_MS = 15_000;

/** Other processes wait this long for the binary. A first build takes about 5 minutes on 2 cores. */
const LOCK_WAIT_MS = 20 * 60_000;
const LOCK_POLL_MS = 500;

/** Path of the binary in a cache folder. */
export function cachedBinary(cacheDir: string): string {
  return join(cacheDir, FOLDER, 'temporal');
}

/** Whether the file exists. Does not check whether it runs. */
export async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    (found) => found.isFile(),
    () => false,
  );
}

/**
 * Makes the binary in the cache folder and returns its path. `make` writes it to a given path. It is not called when
 * another process has made the binary meanwhile. Rejects as `make` does.
 */
export async function makeCached(
  cacheDir: string,
  make: (target: string) => Promise<void>,
  onWait: () => void = () => undefined,
): Promise<string> {
  const binary = cachedBinary(cacheDir);
  ensureFolder(dirname(binary));
  const lock = { staleMs: LOCK_STALE_MS, waitMs: LOCK_WAIT_MS, pollMs: LOCK_POLL_MS, onWait };
  const release = await acquireLock(dirname(binary), lock);
  try {
    if (await exists(binary)) return binary;
    await removeLeftovers(cacheDir);
    const workDir = await mkdtemp(join(cacheDir, `${FOLDER}.tmp-`));
    try {
      const target = join(workDir, 'temporal');
      await make(target);
      await rename(target, binary);
    } finally {
      await rm(workDir, { recursive: true, force: true });
    }
    return binary;
  } finally {
    await release().catch(() => undefined); // fails for a lock that another process has taken over
  }
}

/** Removes work folders of killed makers. Safe with the lock, because only its holder works. */
async function removeLeftovers(cacheDir: string): Promise<void> {
  for (const name of await readdir(cacheDir)) {
    if (name.startsWith(`${FOLDER}.tmp-`)) await rm(join(cacheDir, name), { recursive: true, force: true });
  }
}
