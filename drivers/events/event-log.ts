// The port to the event log: one ordered log per agent. Implementations: file and memory.
import type { EventSource, LogEntry, SourcedEvent } from '../../contract/wire/events.ts';

/**
 * Entries that retention leaves in every log. As many as the longest look at a log's end needs, which is for the cost of
 * an agent in `murmur ls` (server/agents/progress.ts).
 */
export const KEPT_ENTRIES = 2_000;

/**
 * Ids and sequence numbers of an agent's log only grow: also after retention, and in a later life of the same agent id.
 * Every call throws UNAVAILABLE when the log cannot be reached. Disposing ends all followers and releases what the log
 * holds open; no call is made after it.
 */
export interface EventLog extends AsyncDisposable {
  /**
   * Appends events of one source, in the order given. Idempotent: a sequence number at or below the source's last
   * is dropped, also when several processes append at once. A gap in the numbers throws FAILED_PRECONDITION.
   * Returns the id of the log's last entry; then the events are visible to every reader.
   */
  append(agent: string, source: EventSource, events: readonly SourcedEvent[]): Promise<number>;
  /** Last sequence number of the source in the log, whether or not its entry is kept; 0 when it has none. */
  lastSeq(agent: string, source: EventSource): Promise<number>;
  /** Entries with an id above `after` that are kept, in order, at most `limit`. An agent without a log has no entries. */
  read(agent: string, after: number, limit: number): Promise<readonly LogEntry[]>;
  /** The newest entries, in order, at most `limit`; cheap also on a long log. */
  tail(agent: string, limit: number): Promise<readonly LogEntry[]>;
  /**
   * Entries above `after` that are kept, and then each new one as it comes, until the signal aborts or the log is
   * disposed of. Each id once, in order. Followers of one log share what is opened and read for them.
   */
  follow(agent: string, after: number, signal: AbortSignal): AsyncIterable<LogEntry>;
  /**
   * Retention: of each log to which nothing was appended since `quietSince`, drops all but the newest `KEPT_ENTRIES`
   * entries. Agents may go on appending, and followers following. Resolves with the number of logs that were cut.
   */
  prune(quietSince: Date): Promise<number>;
}
