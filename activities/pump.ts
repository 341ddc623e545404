// Copies a runner's journal to the event log. The log, not a heartbeat, knows the last copied event: heartbeats are
// delayed.
import type { SourcedEvent } from '../contract/wire/events.ts';
import type { EventLog } from '../drivers/events/event-log.ts';
import type { RunnerClient, TurnWatch } from '../drivers/machines/runner-client.ts';

/** Source and target of the copy, and the turn whose end the runner reports with the events. */
export interface Pump {
  readonly runner: RunnerClient;
  readonly events: EventLog;
  readonly agent: string;
  readonly turn: TurnWatch;
}

/**
 * Copies events after the given number until `isLast` is true for a batch or the signal aborts. The log drops late
 * duplicates from a worker that was frozen. Throws UNAVAILABLE if the runner's stream ends early.
 * @param onSeq called with the last number after each batch that the log has
 */
export async function pumpEvents(
  { runner, events, agent, turn }: Pump,
  after: number,
  signal: AbortSignal,
  isLast: (batch: readonly SourcedEvent[]) => boolean,
  onSeq: (seq: number) => void = () => undefined,
): Promise<void> {
  const ended = new AbortController();
  for await (const batch of runner.events(after, AbortSignal.any([signal, ended.signal]), turn)) {
    await events.append(agent, 'runner', batch);
    onSeq(batch[batch.length - 1]?.seq ?? after);
    if (!isLast(batch)) continue;
    ended.abort();
    return;
  }
}
