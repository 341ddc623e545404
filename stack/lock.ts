// Locks between processes.
import { setTimeout as delay } from 'node:timers/promises';
import lockfile from 'proper-lockfile';

export interface LockOptions {
  /** Path of the lock. Default: `<path>.lock`. */
  readonly lockfilePath?: string;
  /** The holder renews the lock. After this time without renewal, a killed holder's lock is free. */
  readonly staleMs: number;
  /** How long to wait for another holder. */
  readonly waitMs: number;
  /** Interval of attempts while another process holds the lock. */
  readonly pollMs: number;
  /** Called once, when another process holds the lock. */
  readonly onWait?: () => void;
}

/**
 * Takes the lock of the path, and resolves with the function that releases it. Waits only while another process holds
 * the lock: throws the system's error at once when it cannot be made, such as on a full disk.
 */
export async function acquireLock(path: string, options: LockOptions): Promise<() => Promise<void>> {
  const { lockfilePath, onWait, pollMs, staleMs: stale, waitMs } = options;
  const deadline = performance.now() + waitMs;
  for (let attempt = 0; ; attempt += 1) {
    try {
      return await lockfile.lock(path, {
        stale,
        ...(lockfilePath === undefined ? {} : { lockfilePath }),
        // After the host was suspended, the lock may be lost. The default would end this process in the middle of its
        // work. The work under our locks is also correct if another process has done it meanwhile.
        onCompromised: () => undefined,
      });
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ELOCKED' || performance.now() >= deadline) throw error;
    }
    if (attempt === 0) onWait?.();
    await delay(pollMs);
  }
}
