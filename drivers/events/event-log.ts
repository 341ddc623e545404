// The port to the event log: one ordered log per agent. Implementations: file and memory.
import type { EventSource, LogEntry, SourcedEvent } from '../../contract/wire/events.ts';

export interface EventLog {
  /**
   * Appends events of one source, in the order given. Idempotent: a sequence number at or below the source's last
   * is dropped, also when several processes append at once. A gap in the numbers throws FAILED_PRECONDITION.
   * Returns the id of the log's last entry; then the events are visible to every reader.
   */
  append(agent: string, source: EventSource, events: readonly SourcedEvent[]): Promise<number>;
  /** Last sequence number of the source in the log; 0 when it has none. */
  lastSeq(agent: string, source: EventSource): Promise<number>;
  /** Entries with an id above `after`, in order, at most `limit`. An agent without a log has no entries. */
  read(agent: string, after: number, limit: number): Promise<readonly LogEntry[]>;
  /** The newest entries, in order, at most `limit`; cheap also on a long log. */
  tail(agent: string, limit: number): Promise<readonly LogEntry[]>;
  /** Entries above `after` and then each new one as it comes, until the signal aborts. Each id once, in order. */
  follow(agent: string, after: number, signal: AbortSignal): AsyncIterable<LogEntry>;
}
