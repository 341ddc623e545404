// What the conformance tests of event logs share: events, and followers. For tests only.
import type { LogEntry, SourcedEvent } from '../../contract/wire/events.ts';
import type { EventLog } from './event-log.ts';

/** A log for one test; disposing closes it. */
export interface EventLogUnderTest extends AsyncDisposable {
  readonly log: EventLog;
}

export const AGENT = 'w/default/u/jane/fix-auth';

/** Events `from` to `to` of a source. Each has a different text. */
export function notes(from: number, to: number, text = 'note'): readonly SourcedEvent[] {
  return Array.from({ length: Math.max(0, to - from + 1) }, (_, index) => ({
    seq: from + index,
    at: '2026-11-21T00:00:00.000Z',
    event: { type: 'note', text: `${text} ${from + index}` },
  }));
}

/** The first `count` entries that a follower receives. Ends the follower. */
export async function followed(log: EventLog, agent: string, after: number, count: number): Promise<LogEntry[]> {
  const abort = new AbortController();
  const entries: LogEntry[] = [];
  for await (const entry of log.follow(agent, after, abort.signal)) {
    entries.push(entry);
    if (entries.length === count) abort.abort();
  }
  return entries;
}
