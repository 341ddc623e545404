// Reads the state of a journal file when a runner starts. Only whole lines that begin like an entry count.
import { closeSync, constants, ftruncateSync, openSync, readSync } from 'node:fs';
import { ANSWER_EVENTS } from '../../contract/wire/events.ts';
import type { SourcedEvent } from '../../contract/wire/events.ts';

/** A position to start reading: the byte at which the line with number `seq` begins. */
export interface JournalMark {
  readonly seq: number;
  readonly offset: number;
}

export interface UnfinishedTurn {
  readonly turn_id: string;
  readonly turn: number;
  /** Whether the model had answered in the turn. */
  readonly answered: boolean;
  /** Dollars that `usage` events report. */
  readonly used_usd: number;
  /** Dollars that `cost` events report. */
  readonly reported_usd: number;
  /** Ids of the notices that were delivered to the model. */
  readonly notices: readonly string[];
}

export interface RecoveredJournal {
  readonly seq: number;
  readonly size: number;
  readonly marks: readonly JournalMark[];
  readonly unfinished: UnfinishedTurn | undefined;
  /** `total_usd` of the last cost event. */
  readonly spentUsd: number;
}

/** Bytes per read: the file is never in memory as a whole. */
const CHUNK = 256 * 1024;
/**
 * An entry's beginning up to its type, `{"seq":12,"at":"…","event":{"type":"turn_start"`, is within this many bytes.
 */
const HEAD = 120;
const ENTRY = /^\{"seq":(\d+),"at":"[^"]*","event":\{"type":"(\w+)"/;

/** Reads the file once and truncates it after the last valid line. Creates a missing file. */
export function recoverJournal(file: string, indexStep: number): RecoveredJournal {
  const descriptor = openSync(file, constants.O_RDWR | constants.O_CREAT, 0o600);
  try {
    const marks: JournalMark[] = [];
    let seq = 0;
    let size = 0;
    let unfinished: UnfinishedTurn | undefined;
    let spentUsd = 0;
    for (const { line, end } of wholeLines(descriptor)) {
      const entry = ENTRY.exec(line.toString('latin1', 0, HEAD));
      // An invalid line and everything after it cannot be trusted. They are removed like an incomplete last line.
      if (entry === null) break;
      const number = Number(entry[1]);
      if (number % indexStep === 0 || number > seq + 1) marks.push({ seq: number, offset: size });
      if (entry[2] === 'turn_start' || entry[2] === 'turn_complete') unfinished = turnAfter(line);
      if (unfinished !== undefined && isAnswer(entry[2])) unfinished = { ...unfinished, answered: true };
      if (entry[2] === 'cost') spentUsd = spentIn(line);
      if (unfinished !== undefined) unfinished = withEvent(unfinished, entry[2], line);
      seq = number;
      size = end;
    }
    ftruncateSync(descriptor, size);
    return { seq, size, marks, unfinished, spentUsd };
  } finally {
    closeSync(descriptor);
  }
}

function turnAfter(line: Buffer): UnfinishedTurn | undefined {
  const { event } = JSON.parse(line.toString('utf8')) as SourcedEvent;
  return event.type === 'turn_start'
    ? { turn_id: event.turn_id, turn: event.turn, answered: false, used_usd: 0, reported_usd: 0, notices: [] }
    : undefined;
}

function withEvent(turn: UnfinishedTurn, type: string | undefined, line: Buffer): UnfinishedTurn {
  if (type !== 'usage' && type !== 'cost' && type !== 'user_text') return turn;
  const { event } = JSON.parse(line.toString('utf8')) as SourcedEvent;
  if (event.type === 'usage') return { ...turn, used_usd: event.used_usd };
  if (event.type === 'cost') return { ...turn, reported_usd: turn.reported_usd + event.delta.usd };
  const isNotice = event.type === 'user_text' && event.notice !== undefined;
  return isNotice ? { ...turn, notices: [...turn.notices, event.notice] } : turn;
}

function isAnswer(type: string | undefined): boolean {
  return (ANSWER_EVENTS as readonly (string | undefined)[]).includes(type);
}

function spentIn(line: Buffer): number {
  const { event } = JSON.parse(line.toString('utf8')) as SourcedEvent;
  return event.type === 'cost' ? event.total_usd : 0;
}

/** Lines that end in a newline, each with the offset after it. */
function* wholeLines(descriptor: number): Generator<{ line: Buffer; end: number }> {
  const chunk = Buffer.alloc(CHUNK);
  let rest = Buffer.alloc(0);
  let end = 0;
  for (let position = 0; ;) {
    const read = readSync(descriptor, chunk, 0, CHUNK, position);
    if (read === 0) return;
    position += read;
    rest = Buffer.concat([rest, chunk.subarray(0, read)]);
    let start = 0;
    for (let newline = rest.indexOf(10); newline >= 0; newline = rest.indexOf(10, start)) {
      end += newline + 1 - start;
      yield { line: rest.subarray(start, newline), end };
      start = newline + 1;
    }
    rest = Buffer.from(rest.subarray(start));
  }
}
