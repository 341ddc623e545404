// Kills processes that are not children of this process.
import { setTimeout as delay } from 'node:timers/promises';

/** A killed process is gone within milliseconds; a busy host may need seconds. */
const GONE_LIMIT_MS = 10_000;
const LOOK_AGAIN_MS = 10;

/** Kills the processes that `find` returns until it returns none, for at most ten seconds. */
export async function killUntilGone(find: () => Promise<readonly number[]> | readonly number[]): Promise<void> {
  const end = Date.now() + GONE_LIMIT_MS;
  for (;;) {
    const pids = await find();
    if (pids.length === 0 || Date.now() > end) return;
    for (const pid of pids) kill(pid);
    await delay(LOOK_AGAIN_MS);
  }
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It has already ended.
  }
}
