// The lines of a log file, and the rule by which every reader turns lines into entries.
//
// Writers take no lock: a process that holds a lock can be frozen and write late, after the lock has expired. Instead,
// a line counts only when its sequence number is above the last one of its source. Ids number the lines that count, in
// file order. So all readers see the same entries, also when writers repeat lines.
import type { AgentEvent, EventSource, LogEntry, SourcedEvent } from '../../contract/wire/events.ts';

/** What was counted up to a place in a log. */
export interface LogState {
  readonly id: number;
  readonly last: Readonly<Record<EventSource, number>>;
}

export const EMPTY_LOG: LogState = { id: 0, last: { runner: 0, workflow: 0 } };

/**
 * A line as written. `pos` is the byte at which the writer expected it to begin; `id` and `last` are the state after
 * it. When the line does begin at `pos`, no other writer intervened: the state is right, and a reader may start here.
 */
interface LogLine extends SourcedEvent {
  readonly id: number;
  readonly pos: number;
  readonly last: readonly [runner: number, workflow: number];
  readonly source: EventSource;
}

/** The events as bytes to append at `position`. Readers skip empty lines. */
export function encodeLines(
  events: readonly SourcedEvent[],
  source: EventSource,
  state: LogState,
  position: number,
): Buffer {
  // The newline in front ends a line that a killed writer left unfinished.
  const parts = ['\n'];
  let [at, current] = [position + 1, state];
  for (const event of events) {
    current = advanced(current, source, event.seq);
    const last = [current.last.runner, current.last.workflow] as const;
    const line: LogLine = { id: current.id, pos: at, last, source, seq: event.seq, at: event.at, event: event.event };
    const text = `${JSON.stringify(line)}\n`;
    at += Buffer.byteLength(text);
    parts.push(text);
  }
  return Buffer.from(parts.join(''));
}

/** The first line of a log whose oldest entries were dropped: the state before its first kept entry. */
export function encodeBase({ id, last }: LogState): string {
  return `${JSON.stringify({ base: { id, last: [last.runner, last.workflow] } })}\n`;
}

/** The state in a line of `encodeBase`; undefined for any other line. */
export function baseOf(text: string): LogState | undefined {
  if (!text.startsWith('{"base":')) return undefined;
  try {
    const { base } = JSON.parse(text) as { base: { id: number; last: readonly [number, number] } };
    return { id: base.id, last: { runner: base.last[0], workflow: base.last[1] } };
  } catch {
    return undefined;
  }
}

/** The entry that a line adds to the state; undefined for an unfinished, damaged or repeated line. */
export function entryOf(text: string, state: LogState): LogEntry | undefined {
  const line = decodeLine(text);
  if (line === undefined || line.seq <= state.last[line.source]) return undefined;
  return { id: state.id + 1, source: line.source, seq: line.seq, at: line.at, event: line.event };
}

/** The state with an entry counted. */
export function advanced(state: LogState, source: EventSource, seq: number): LogState {
  return { id: state.id + 1, last: { ...state.last, [source]: seq } };
}

/** The state after a line that begins at `offset`, if the line contains that offset; else undefined. */
export function confirmedState(text: string, offset: number): LogState | undefined {
  const line = decodeLine(text);
  if (line?.pos !== offset) return undefined;
  return { id: line.id, last: { runner: line.last[0], workflow: line.last[1] } };
}

function decodeLine(text: string): LogLine | undefined {
  if (text === '') return undefined;
  try {
    const line = JSON.parse(text) as Partial<LogLine> | null;
    const known = line?.source === 'runner' || line?.source === 'workflow';
    return known && typeof line.seq === 'number' && isEvent(line.event) ? (line as LogLine) : undefined;
  } catch {
    return undefined;
  }
}

function isEvent(event: unknown): event is AgentEvent {
  return typeof event === 'object' && event !== null;
}
