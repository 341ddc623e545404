// The folder where the Temporal binary is kept. A binary is made once even when two start at the same time: the maker
// holds a lock, works in a folder of its own and renames the finished file into place.
import { mkdir, mkdtemp, readdir, rename, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import lockfile from 'proper-lockfile';
import { TEMPORAL_RELEASE } from './release.ts';

/** Name of the binary's folder inside a cache folder; the version keeps releases apart. */
const FOLDER = `temporal-${TEMPORAL_RELEASE.cli}`;

/**
 * A lock whose holder was killed is free after this long. The holder renews it while it works; a machine under load
 * can hold its timers up for seconds.
 */
const LOCK_STALE_MS = 15_000;

/** A first build takes about 5 minutes on 2 cores; whoever waits for it waits up to this long. */
const LOCK_WAIT_MS = 20 * 60_000;
const LOCK_POLL_MS = 500;

/** Where the binary lies in a cache folder. */
export function cachedBinary(cacheDir: string): string {
  return join(cacheDir, FOLDER, 'temporal');
}

/** Whether the file is there; says nothing about whether it runs. */
export async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    (found) => found.isFile(),
    () => false,
  );
}

/**
 * Makes the binary in the cache folder and returns its path. `make` gets a path to write to; it is not called when
 * another process has made the binary meanwhile. Rejects with what `make` rejects with.
 */
export async function makeCached(
  cacheDir: string,
  make: (target: string) => Promise<void>,
  onWait: () => void = () => undefined,
): Promise<string> {
  const binary = cachedBinary(cacheDir);
  await mkdir(dirname(binary), { recursive: true });
  const release = await acquire(dirname(binary), onWait);
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
    await release().catch(() => undefined); // a lock that was taken over by another is not ours to release
  }
}

async function acquire(dir: string, onWait: () => void): Promise<() => Promise<void>> {
  const options = { stale: LOCK_STALE_MS, onCompromised: () => undefined };
  try {
    return await lockfile.lock(dir, options);
  } catch {
    onWait();
    const retries = Math.ceil(LOCK_WAIT_MS / LOCK_POLL_MS);
    return lockfile.lock(dir, {
      ...options,
      retries: { retries, factor: 1, minTimeout: LOCK_POLL_MS, maxTimeout: LOCK_POLL_MS },
    });
  }
}

/** Work folders of makers that were killed: whoever holds the lock is the only one at work. */
async function removeLeftovers(cacheDir: string): Promise<void> {
  for (const name of await readdir(cacheDir)) {
    if (name.startsWith(`${FOLDER}.tmp-`)) await rm(join(cacheDir, name), { recursive: true, force: true });
  }
}
