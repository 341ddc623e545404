// Reads a log file line by line, and finds the position of an entry without reading everything before it.
import type { FileHandle } from 'node:fs/promises';
import type { LogEntry } from '../../contract/wire/events.ts';
import type { LogState } from './log-line.ts';
import { advanced, baseOf, EMPTY_LOG, entryOf, confirmedState } from './log-line.ts';

/** A byte offset between two lines, and the state of the log there. */
export interface LogPosition {
  readonly offset: number;
  readonly state: LogState;
}

export const LOG_START: LogPosition = { offset: 0, state: EMPTY_LOG };

/** Bytes of one read and the precision of a seek. An average line has some hundred bytes, the longest some 100 KB. */
const CHUNK = 65_536;

interface Line {
  readonly offset: number;
  readonly text: string;
  /** Offset of the next line. */
  readonly end: number;
}

/** Whole lines that begin at or after `from`, to the end of the file. Skips an unfinished last line. */
async function* linesFrom(file: FileHandle, from: number): AsyncGenerator<Line> {
  let [offset, pending] = [from, Buffer.alloc(0)];
  for (;;) {
    const chunk = Buffer.allocUnsafe(CHUNK);
    const { bytesRead } = await file.read(chunk, 0, CHUNK, offset + pending.length);
    if (bytesRead === 0) return;
    const read = chunk.subarray(0, bytesRead);
    pending = pending.length === 0 ? read : Buffer.concat([pending, read]);
    let begin = 0;
    for (let end = pending.indexOf(10); end !== -1; end = pending.indexOf(10, begin)) {
      yield { offset: offset + begin, text: pending.toString('utf8', begin, end), end: offset + end + 1 };
      begin = end + 1;
    }
    // A short read is the end of the file.
    if (bytesRead < CHUNK) return;
    offset += begin;
    pending = pending.subarray(begin);
  }
}

/** Each entry after a position, with the position after it. */
export async function* entriesFrom(
  file: FileHandle,
  from: LogPosition,
): AsyncGenerator<{ readonly entry: LogEntry | undefined; readonly position: LogPosition }> {
  let { state } = from;
  for await (const line of linesFrom(file, from.offset)) {
    if (line.offset === 0) state = baseOf(line.text) ?? state;
    const entry = entryOf(line.text, state);
    if (entry !== undefined) state = advanced(state, entry.source, entry.seq);
    // Yields a position for lines without an entry too, so that callers need not read these again.
    yield { entry, position: { offset: line.end, state } };
  }
}

/** The text after the last whole line. */
export async function unfinishedLine(file: FileHandle, offset: number, size: number): Promise<string> {
  if (size <= offset) return '';
  const bytes = Buffer.alloc(size - offset);
  const { bytesRead } = await file.read(bytes, 0, bytes.length, offset);
  return bytes.toString('utf8', 0, bytesRead);
}

/**
 * A position shortly before entry `after + 1`. Binary search over lines whose `pos` is right (see log-line.ts). The
 * first probe is near the end of the file, where most readers start.
 */
export async function seek(file: FileHandle, size: number, after: number): Promise<LogPosition> {
  let [low, high] = [LOG_START, size];
  let probe = size - CHUNK;
  while (high - low.offset > CHUNK) {
    const found = await firstConfirmed(file, Math.max(probe, low.offset + 1), high);
    if (found !== undefined && found.state.id <= after) low = found;
    else high = probe;
    probe = Math.floor((low.offset + high) / 2);
  }
  return low;
}

/** The position after the first line between the two offsets that contains its own offset. */
async function firstConfirmed(file: FileHandle, from: number, to: number): Promise<LogPosition | undefined> {
  let isWhole = false;
  // Starts one byte early: a newline there means that a line begins at `from`. Anything else is part of a cut line.
  for await (const line of linesFrom(file, from - 1)) {
    if (line.offset >= to) return undefined;
    const state = isWhole ? confirmedState(line.text, line.offset) : undefined;
    if (state !== undefined) return { offset: line.end, state };
    isWhole = true;
  }
  return undefined;
}
