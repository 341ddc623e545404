// What became of each turn, one file a turn, so that a restarted runner still answers. Written before the journal's
// `turn_complete`: an outcome without that entry is completed at the next start.
import { createHash } from 'node:crypto';
import { mkdirSync } from 'node:fs';
import path from 'node:path';
import type { RunnerTurnOutcome } from '../../contract/wire/runner.ts';
import { readState, writeState } from '../state-file.ts';

export type TurnRecord =
  /** An interrupt came before its turn. */
  | { readonly state: 'tombstone' }
  | { readonly state: 'ended'; readonly end_seq: number; readonly outcome: RunnerTurnOutcome };

export class TurnRecords {
  readonly #directory: string;

  constructor(directory: string) {
    this.#directory = directory;
    mkdirSync(directory, { recursive: true, mode: 0o700 });
  }

  /** Undefined for a turn that is unknown or runs. */
  get(turnId: string): TurnRecord | undefined {
    return readState<TurnRecord>(this.#file(turnId));
  }

  put(turnId: string, record: TurnRecord): void {
    writeState(this.#file(turnId), record);
  }

  #file(turnId: string): string {
    return path.join(this.#directory, `${fileNameOf(turnId)}.json`);
  }
}

/** A file name for an id of any characters and length; ids that differ get names that differ. */
export function fileNameOf(turnId: string): string {
  const plain = /^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$/.test(turnId);
  return plain ? turnId : `sha256-${createHash('sha256').update(turnId).digest('hex')}`;
}
