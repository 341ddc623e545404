// Schedules the worker's sweeps.
import { setTimeout as delay } from 'node:timers/promises';
import type { Sweep } from '../agents/sweep/sweep.ts';

/** Pause between two rounds. A machine without an agent costs memory or money per minute, not per second. */
const SWEEP_INTERVAL_MS = 30_000;

/**
 * Sweeps at once and then repeatedly, one round at a time, until the signal aborts. Resolves when no clean-up is in
 * progress: the connection to its machine must stay open until the last snapshot is stored.
 */
export async function sweepUntil(stop: AbortSignal, sweep: Sweep): Promise<void> {
  while (!stop.aborted) {
    await sweep.round(stop);
    await delay(SWEEP_INTERVAL_MS, undefined, { signal: stop }).catch(() => undefined);
  }
}
