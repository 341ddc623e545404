// When the worker sweeps.
import { setTimeout as delay } from 'node:timers/promises';
import type { Sweep } from '../agents/sweep/sweep.ts';

/** Between two rounds, in milliseconds. A machine without an agent costs memory or money by the minute, not by the second. */
const SWEEP_INTERVAL_MS = 30_000;

/**
 * Sweeps at once and then again and again, one round at a time, until the signal aborts. Resolves when no end is under way any
 * more: its connection to the machine must not be closed before the last snapshot is stored.
 */
export async function sweepUntil(stop: AbortSignal, sweep: Sweep): Promise<void> {
  while (!stop.aborted) {
    await sweep.round(stop);
    await delay(SWEEP_INTERVAL_MS, undefined, { signal: stop }).catch(() => undefined);
  }
}
