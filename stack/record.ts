// Reads and writes stack.json, and decides whose it is.
import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import lockfile from 'proper-lockfile';
import writeFileAtomic from 'write-file-atomic';
import type { HomePaths } from '../config/home.ts';
import type { StackRecord } from '../contract/stack.ts';
import { isRunning } from './process.ts';

/** The holder renews the lock while it lives; one that was killed inside is given up after this long. */
const LOCK_STALE_MS = 5_000;

/** Up to a minute: `down` holds it while it ends what a killed supervisor left. */
const LOCK_RETRIES = { retries: 600, factor: 1, minTimeout: 100, maxTimeout: 100 };

/** The record, or undefined when there is none or it cannot be read (an unreadable one describes nothing). */
export async function readRecord(home: HomePaths): Promise<StackRecord | undefined> {
  try {
    return JSON.parse(await readFile(home.stackFile, 'utf8')) as StackRecord;
  } catch {
    return undefined;
  }
}

/** Replaces the record in one step: a reader sees the old one or the new one. Only the owner may read it. */
export async function writeRecord(home: HomePaths, record: StackRecord): Promise<void> {
  await writeFileAtomic(home.stackFile, `${JSON.stringify(record, undefined, 2)}\n`, { mode: 0o600 });
}

export async function removeRecord(home: HomePaths): Promise<void> {
  await rm(home.stackFile, { force: true });
}

/** The record of a stack whose supervisor runs. */
export async function runningRecord(home: HomePaths): Promise<StackRecord | undefined> {
  const record = await readRecord(home);
  return record !== undefined && (await isRunning(record.supervisor)) ? record : undefined;
}

/** Runs `work` while it holds this home's lock for starts and stops of the stack. Keep `work` short. */
export async function withStartLock<T>(home: HomePaths, work: () => Promise<T>): Promise<T> {
  const options = {
    stale: LOCK_STALE_MS,
    retries: LOCK_RETRIES,
    lockfilePath: join(home.root, 'stack.lock'),
    // A host that stands still for longer than that must not end this process in the middle of its work: what is done
    // under the lock is right also when another process did it meanwhile.
    onCompromised: () => undefined,
  };
  const release = await lockfile.lock(home.root, options);
  try {
    return await work();
  } finally {
    await release().catch(() => undefined); // one that another process took over is not ours to release
  }
}
