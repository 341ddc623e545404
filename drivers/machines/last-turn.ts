// Reads the last turn from a machine's journal, not from its runner: asking the runner about an unknown turn would
// start that turn.
import { posix } from 'node:path';
import { MurmurError } from '../../contract/wire/errors.ts';
import type { SourcedEvent } from '../../contract/wire/events.ts';
import type { Machine } from './provider.ts';

export interface LastTurn {
  readonly id: string;
  /** False once it has ended, with any outcome. */
  readonly isOpen: boolean;
}

/** How each entry for a turn's start or end begins, in the journals of all builds. */
const TURN_ENTRY = /^\{"seq":\d+,"at":"[^"]*","event":\{"type":"turn_(?:start|complete)"/;
/** That beginning lies in this many bytes. */
const HEAD_BYTES = 120;
const NEWLINE = 10;

/**
 * The turn that started last; undefined before the first. Reads the whole journal. Throws as the machine's `get` does.
 */
export async function lastTurnOf(machine: Pick<Machine, 'paths' | 'get'>): Promise<LastTurn | undefined> {
  try {
    return lastTurnIn(await machine.get(posix.join(machine.paths.runner, 'journal.jsonl')));
  } catch (error) {
    if (error instanceof MurmurError && error.code === 'NOT_FOUND') return undefined;
    throw error;
  }
}

/** `lastTurnOf` for the journal's content. Ignores a last line without a newline. */
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
