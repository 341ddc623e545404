// Keeps work in the background to a share of one core, over all runners of the process.
import { setTimeout as pause } from 'node:timers/promises';

/**
 * Milliseconds of the process's clock from which on the next piece of work of a share may begin. Each share has its own, so
 * that urgent work waits for urgent work alone.
 */
const freeFrom = new Map<number, number>();

/**
 * Resolves when the next piece of work may begin, after one that took so long. Rejects when the signal aborts.
 * @param share of a core, above 0, at most 1
 */
export async function rest(workedMs: number, share: number, signal: AbortSignal): Promise<void> {
  const now = performance.now();
  const next = Math.max(freeFrom.get(share) ?? 0, now) + workedMs * (1 / share - 1);
  freeFrom.set(share, next);
  await pause(Math.ceil(next - now), undefined, { signal, ref: false });
}
