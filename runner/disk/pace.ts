// Limits background work to a share of one core, for all runners of the process together.
import { setTimeout as pause } from 'node:timers/promises';

/**
 * Share → time at which its next piece of work may begin, in milliseconds of the process's clock. Separate per share,
 * so that urgent work waits only for urgent work.
 */
const freeFrom = new Map<number, number>();

/**
 * Resolves when the next piece of work may begin, after one that took `workedMs`. Rejects when the signal aborts.
 * @param share of a core, above 0, at most 1
 */
export async function rest(workedMs: number, share: number, signal: AbortSignal): Promise<void> {
  const now = performance.now();
  const next = Math.max(freeFrom.get(share) ?? 0, now) + workedMs * (1 / share - 1);
  freeFrom.set(share, next);
  await pause(Math.ceil(next - now), undefined, { signal, ref: false });
}
