// What the journal of a machine says of its last turn, without its runner being asked: to ask about a turn that has not come
// yet is to start it.
import { posix } from 'node:path';
import { MurmurError } from '../../contract/wire/errors.ts';
import type { SourcedEvent } from '../../contract/wire/events.ts';
import type { Machine } from './provider.ts';

export interface LastTurn {
  readonly id: string;
  /** False once it has ended, however it has. */
  readonly isOpen: boolean;
}

/** Begins every entry of a turn's start or end, in the journals of all builds. */
const TURN_ENTRY = /^\{"seq":\d+,"at":"[^"]*","event":\{"type":"turn_(?:start|complete)"/;
/** That beginning lies in this many bytes. */
const HEAD_BYTES = 120;
const NEWLINE = 10;

/** The turn that was begun last; undefined before the first. Reads the whole journal. Throws as the machine's `get` does. */
export async function lastTurnOf(machine: Pick<Machine, 'paths' | 'get'>): Promise<LastTurn | undefined> {
  try {
    return lastTurnIn(await machine.get(posix.join(machine.paths.runner, 'journal.jsonl')));
  } catch (error) {
    if (error instanceof MurmurError && error.code === 'NOT_FOUND') return undefined;
    throw error;
  }
}

/** As `lastTurnOf`; a last line without its newline is not there yet. */
export function lastTurnIn(journal: Buffer): LastTurn | undefined {
  let end = journal.lastIndexOf(NEWLINE);
  while (end > 0) {
    const start = journal.lastIndexOf(NEWLINE, end - 1) + 1;
    if (TURN_ENTRY.test(journal.toString('latin1', start, Math.min(end, start + HEAD_BYTES)))) {
      const { event } = JSON.parse(journal.toString('utf8', start, end)) as SourcedEvent;
      if (event.type === 'turn_start') return { id: event.turn_id, isOpen: true };
      if (event.type === 'turn_complete') return { id: event.turn_id, isOpen: false };
    }
    end = start - 1;
  }
  return undefined;
}
