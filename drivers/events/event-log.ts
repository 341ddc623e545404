// The port to the event log: one ordered log per agent. Implementations: file and memory.
import type { EventSource, LogEntry, SourcedEvent } from '../../contract/wire/events.ts';

/**
 * Entries that retention keeps in every log. `murmur ls` reads most entries at a log's end, for the cost of an agent
 * (server/agents/progress.ts); it needs this many.
 */
export const KEPT_ENTRIES = 2_000;

/**
 * Ids and sequence numbers of an agent's log only grow: also after retention, and when a later agent gets the same id.
 * Every call throws UNAVAILABLE when the log cannot be reached. Disposing ends all followers and closes open files. No
 * call is made after it.
 */
export interface EventLog extends AsyncDisposable {
  /**
   * Appends events of one source, in the order given. Idempotent: an event whose number is at or below the source's
   * last is dropped, also when several processes append at once. A gap in the numbers throws FAILED_PRECONDITION.
   * Resolves with the id of the log's last entry once every reader sees the events.
   */
  append(agent: string, source: EventSource, events: readonly SourcedEvent[]): Promise<number>;
  /** Last sequence number of the source in the log, whether or not its entry is kept; 0 when it has none. */
  lastSeq(agent: string, source: EventSource): Promise<number>;
  /**
   * Entries with an id above `after` that are kept, in order, at most `limit`. An agent without a log has no entries.
   */
  read(agent: string, after: number, limit: number): Promise<readonly LogEntry[]>;
  /** The newest entries, in order, at most `limit`; cheap also on a long log. */
  tail(agent: string, limit: number): Promise<readonly LogEntry[]>;
  /**
   * Kept entries above `after`, then each new entry, until the signal aborts or the log is disposed. Each id once, in
   * order. Followers of one log share its open file and what is read from it.
   */
  follow(agent: string, after: number, signal: AbortSignal): AsyncIterable<LogEntry>;
  /**
   * Retention: cuts each log without an entry since `quietSince` to its newest `KEPT_ENTRIES` entries. Appending and
   * following continue meanwhile. Resolves with the number of logs that were cut.
   */
  prune(quietSince: Date): Promise<number>;
}
