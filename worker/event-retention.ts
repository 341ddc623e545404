// Retention of the event logs: old entries of agents that have long been quiet.
import { setTimeout as delay } from 'node:timers/promises';
import type { EventLog } from '../drivers/events/event-log.ts';

/** Quiet for so many days means so many, give or take one. */
const INTERVAL_MS = 24 * 3_600_000;
const DAY_MS = 24 * 3_600_000;

export interface RetentionOptions {
  /** A log is cut once nothing was appended to it for so many days. */
  readonly days: number;
  readonly signal: AbortSignal;
  /** Hears how many logs were cut, when there were any, or why they could not be. */
  readonly report: (outcome: { readonly cut?: number; readonly error?: unknown }) => void;
}

/** Cuts quiet logs at once and then once a day, until the signal aborts. Several workers may do so at the same time. */
export async function keepRetention(
  events: Pick<EventLog, 'prune'>,
  { days, signal, report }: RetentionOptions,
): Promise<void> {
  while (!signal.aborted) {
    try {
      const cut = await events.prune(new Date(Date.now() - days * DAY_MS));
      if (cut > 0) report({ cut });
    } catch (error) {
      report({ error });
    }
    await delay(INTERVAL_MS, undefined, { signal, ref: false }).catch(() => undefined);
  }
}
