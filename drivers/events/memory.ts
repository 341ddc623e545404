// The event log in memory, for tests.
import { EventEmitter, once } from 'node:events';
import type { EventSource, LogEntry } from '../../contract/wire/events.ts';
import type { EventLog } from './event-log.ts';
import { KEPT_ENTRIES } from './event-log.ts';
import { newEvents } from './event-order.ts';

interface Log {
  /** The kept entries, in order and without gaps. */
  entries: readonly LogEntry[];
  readonly last: Record<EventSource, number>;
  lastId: number;
  appended: number;
}

/** A log that lives as long as the process. */
export function createMemoryEventLog(): EventLog {
  const logs = new Map<string, Log>();
  const appended = new EventEmitter().setMaxListeners(0);
  const closing = new AbortController();
  const entriesOf = (agent: string): readonly LogEntry[] => logs.get(agent)?.entries ?? [];
  /** Index of the first kept entry above the id. */
  const indexAfter = (entries: readonly LogEntry[], id: number): number => Math.max(0, id + 1 - (entries[0]?.id ?? 1));
  return {
    async append(agent, source, events) {
      const log = logs.get(agent) ?? { entries: [], last: { runner: 0, workflow: 0 }, lastId: 0, appended: 0 };
      const fresh = newEvents(events, source, log.last[source]);
      const added = fresh.map((event) => ({ ...structuredClone(event), source, id: (log.lastId += 1) }));
      log.last[source] = fresh.at(-1)?.seq ?? log.last[source];
      log.entries = [...log.entries, ...added];
      logs.set(agent, log);
      if (fresh.length > 0) {
        log.appended = Date.now();
        appended.emit('appended');
      }
      return log.lastId;
    },
    lastSeq: async (agent, source) => logs.get(agent)?.last[source] ?? 0,
    read: async (agent, after, limit) => {
      const entries = entriesOf(agent);
      const from = indexAfter(entries, after);
      return entries.slice(from, from + limit);
    },
    tail: async (agent, limit) => (limit <= 0 ? [] : entriesOf(agent).slice(-limit)),
    async *follow(agent, after, signal) {
      const ended = AbortSignal.any([signal, closing.signal]);
      for (let last = Math.max(0, after); !ended.aborted;) {
        const entries = entriesOf(agent);
        const entry = entries[indexAfter(entries, last)];
        if (entry === undefined) await once(appended, 'appended', { signal: ended }).catch(() => undefined);
        else {
          last = entry.id;
          yield entry;
        }
      }
    },
    async prune(quietSince) {
      const quiet = [...logs.values()].filter(
        ({ entries, appended: at }) => at < quietSince.getTime() && entries.length > KEPT_ENTRIES,
      );
      for (const log of quiet) log.entries = log.entries.slice(-KEPT_ENTRIES);
      return quiet.length;
    },
    [Symbol.asyncDispose]: async () => closing.abort(),
  };
}
