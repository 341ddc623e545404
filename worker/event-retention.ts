// Retention of event logs: drops old entries of agents without recent events.
import { setTimeout as delay } from 'node:timers/promises';
import type { EventLog } from '../drivers/events/event-log.ts';

/** The limit is in days, so a daily check is precise enough. */
const INTERVAL_MS = 24 * 3_600_000;
const DAY_MS = 24 * 3_600_000;

export interface RetentionOptions {
  /** Days without a new entry after which a log is cut. */
  readonly days: number;
  readonly signal: AbortSignal;
  /** Receives the number of cut logs, if any, or the error. */
  readonly report: (outcome: { readonly cut?: number; readonly error?: unknown }) => void;
}

/** Cuts logs at once and then once a day, until the signal aborts. Several workers may do so concurrently. */
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
