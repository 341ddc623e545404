// The event log in memory, for tests.
import { EventEmitter, once } from 'node:events';
import type { LogEntry } from '../../contract/wire/events.ts';
import type { EventLog } from './event-log.ts';
import { newEvents } from './event-order.ts';

/** A log that lives as long as the process. */
export function createMemoryEventLog(): EventLog {
  const logs = new Map<string, LogEntry[]>();
  const appended = new EventEmitter().setMaxListeners(0);
  const entriesOf = (agent: string): readonly LogEntry[] => logs.get(agent) ?? [];
  const lastSeqOf = (agent: string, source: string): number =>
    entriesOf(agent).findLast((entry) => entry.source === source)?.seq ?? 0;
  return {
    async append(agent, source, events) {
      const entries = logs.get(agent) ?? [];
      const fresh = newEvents(events, source, lastSeqOf(agent, source));
      for (const event of fresh) entries.push({ ...structuredClone(event), source, id: entries.length + 1 });
      logs.set(agent, entries);
      if (fresh.length > 0) appended.emit('appended');
      return entries.length;
    },
    lastSeq: async (agent, source) => lastSeqOf(agent, source),
    read: async (agent, after, limit) => entriesOf(agent).slice(Math.max(0, after), Math.max(0, after) + limit),
    tail: async (agent, limit) => (limit <= 0 ? [] : entriesOf(agent).slice(-limit)),
    async *follow(agent, after, signal) {
      for (let next = Math.max(0, after); !signal.aborted;) {
        const entry = entriesOf(agent)[next];
        if (entry === undefined) await once(appended, 'appended', { signal }).catch(() => undefined);
        else {
          next += 1;
          yield entry;
        }
      }
    },
  };
}
