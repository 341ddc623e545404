// Reads and writes stack.json, and locks it.
import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import writeFileAtomic from 'write-file-atomic';
import type { HomePaths } from '../config/home.ts';
import type { StackRecord } from '../contract/stack.ts';
import { acquireLock } from './lock.ts';
import { isRunning } from './process.ts';

/** The holder renews the lock. After this time without renewal, a killed holder's lock is free. */
const LOCK_STALE_MS = 5_000;

/** Waits up to a minute: `down` holds the lock while it ends the processes of a killed supervisor. */
const LOCK_WAIT_MS = 60_000;
/** A person waits for the lock. */
const LOCK_POLL_MS = 100;

/** The record; undefined when it is missing or unreadable. */
export async function readRecord(home: HomePaths): Promise<StackRecord | undefined> {
  try {
    return JSON.parse(await readFile(home.stackFile, 'utf8')) as StackRecord;
  } catch {
    return undefined;
  }
}

/** Replaces the record atomically: a reader sees the old or the new one. Only the owner may read it. */
export async function writeRecord(home: HomePaths, record: StackRecord): Promise<void> {
  await writeFileAtomic(home.stackFile, `${JSON.stringify(record, undefined, 2)}\n`, { mode: 0o600 });
}

export async function removeRecord(home: HomePaths): Promise<void> {
  await rm(home.stackFile, { force: true });
}

/** The record of a stack whose supervisor is running. */
export async function runningRecord(home: HomePaths): Promise<StackRecord | undefined> {
  const record = await readRecord(home);
  return record !== undefined && (await isRunning(record.supervisor)) ? record : undefined;
}

/**
 * Runs `work` with the lock for starting and stopping this home's stack. Keep it short. Throws the system's error when
 * the home cannot be written.
 */
export async function withStartLock<T>(home: HomePaths, work: () => Promise<T>): Promise<T> {
  const release = await acquireLock(home.root, {
    lockfilePath: join(home.root, 'stack.lock'),
    staleMs: LOCK_STALE_MS,
    waitMs: LOCK_WAIT_MS,
    pollMs: LOCK_POLL_MS,
  });
  try {
    return await work();
  } finally {
    await release().catch(() => undefined); // fails for a lock that another process has taken over
  }
}
