// Locks for conditional writes by the processes of one host, by key: a file system has no compare-and-replace.
import { createHash } from 'node:crypto';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { MurmurError } from '../contract/wire/errors.ts';
import type { Claim } from '../runner/identity/claims.ts';
import { tryClaim } from '../runner/identity/claims.ts';

/** Locks on disk. Each leaves one socket behind. Keys that share a lock wait for each other, for some 100 µs. */
const LOCKS = 64;
/** A lock is held for a look and a rename. Whoever holds it for longer is frozen, and must not be overtaken. */
const WAIT_LIMIT_MS = 5_000;
const LOOK_AGAIN_MS = 5;

export class KeyLocks {
  readonly #folder: string;
  /** Callers of this process wait here instead of polling the disk. */
  readonly #queues = new Map<string, Promise<unknown>>();

  constructor(folder: string) {
    this.#folder = folder;
  }

  /** Runs the act with the lock of the key. Throws UNAVAILABLE when the lock is not released in time. */
  async exclusive<T>(key: string, act: () => Promise<T>): Promise<T> {
    const lock = String(createHash('sha256').update(key).digest().readUInt16BE(0) % LOCKS);
    const before = this.#queues.get(lock) ?? Promise.resolve();
    const result = before.then(() => this.#holding(lock, key, act));
    const settled = result.catch(() => undefined);
    this.#queues.set(lock, settled);
    try {
      return await result;
    } finally {
      if (this.#queues.get(lock) === settled) this.#queues.delete(lock);
    }
  }

  async #holding<T>(lock: string, key: string, act: () => Promise<T>): Promise<T> {
    const claim = await this.#claim(lock, key);
    try {
      return await act();
    } finally {
      claim.release();
    }
  }

  async #claim(lock: string, key: string): Promise<Claim> {
    const folder = join(this.#folder, lock);
    await mkdir(folder, { recursive: true, mode: 0o700 });
    for (const end = Date.now() + WAIT_LIMIT_MS; ; await delay(LOOK_AGAIN_MS)) {
      const claim = await tryClaim(folder);
      if (claim !== undefined) return claim;
      if (Date.now() >= end) {
        throw new MurmurError('UNAVAILABLE', `another process holds the lock of ${JSON.stringify(key)}`);
      }
    }
  }
}
