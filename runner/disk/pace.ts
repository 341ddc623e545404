// Keeps work that has no haste to a share of one core, over all runners of the process.
import { setTimeout as pause } from 'node:timers/promises';

/** Milliseconds of the process's clock from which on the next piece of such work may begin. */
let freeFrom = 0;

/**
 * Resolves when the next piece of work may begin, after one that took so long. Rejects when the signal aborts.
 * @param share of a core, above 0, at most 1
 */
export async function rest(workedMs: number, share: number, signal: AbortSignal): Promise<void> {
  const now = performance.now();
  freeFrom = Math.max(freeFrom, now) + workedMs * (1 / share - 1);
  await pause(Math.ceil(freeFrom - now), undefined, { signal, ref: false });
}
