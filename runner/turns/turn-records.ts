// The outcomes of turns, one file per turn, so that a restarted runner knows them. Written before the journal's
// `turn_complete`: if that entry is missing, the next start adds it.
import { createHash } from 'node:crypto';
import { mkdirSync } from 'node:fs';
import path from 'node:path';
import type { RunnerTurnOutcome } from '../../contract/wire/runner.ts';
import { readState, writeState } from '../state-file.ts';

export type TurnRecord =
  /** The turn was interrupted before it arrived. */
  | { readonly state: 'tombstone' }
  | { readonly state: 'ended'; readonly end_seq: number; readonly outcome: RunnerTurnOutcome };

export class TurnRecords {
  readonly #directory: string;

  constructor(directory: string) {
    this.#directory = directory;
    mkdirSync(directory, { recursive: true, mode: 0o700 });
  }

  /** Undefined for an unknown or running turn. */
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

/** A file name for an id of any characters and length. Different ids get different names. */
export function fileNameOf(turnId: string): string {
  const plain = /^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$/.test(turnId);
  return plain ? turnId : `sha256-${createHash('sha256').update(turnId).digest('hex')}`;
}
