// The captures of one runner: one at a time, and none that would hold nothing new when the machine goes.
import { lstatSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import type { FinalSnapshotRequest, SnapshotReply, StopReport } from '../../contract/wire/runner.ts';
import type { MachineContext } from '../machine-context.ts';
import { captureSnapshot } from './capture.ts';
import type { CaptureInput } from './capture.ts';

type FinalSnapshot = Omit<StopReport, 'events'>;

export class Captures {
  #newest: { readonly seq: number; readonly state: string } | undefined;
  #running: Promise<unknown> | undefined;

  /** The capture under way. */
  get running(): Promise<unknown> | undefined {
    return this.#running;
  }

  /** See `captureSnapshot`. Waits for one under way. */
  async capture(input: CaptureInput, context: MachineContext): Promise<SnapshotReply> {
    const before = this.#running;
    const capturing = (async () => {
      await before?.catch(() => undefined);
      return await this.#capture(input, context);
    })();
    this.#running = capturing;
    try {
      return await capturing;
    } finally {
      if (this.#running === capturing) this.#running = undefined;
    }
  }

  /** The capture that a runner leaves when it stops; never rejects. `ready` resolves when there can be one, or none. */
  async last(
    { snapshot_ms: limitMs, stored_seq: stored }: FinalSnapshotRequest,
    ready: () => Promise<CaptureInput | undefined>,
    context: MachineContext,
  ): Promise<FinalSnapshot> {
    const done = new AbortController();
    const capture = async (): Promise<FinalSnapshot> => {
      const input = await ready();
      if (input === undefined || (await this.#isUnchangedSince(stored, input))) return {};
      return { snapshot: await this.capture(input, context) };
    };
    try {
      return await Promise.race([
        capture().catch((error: unknown) => ({ problem: String(error) })),
        delay(limitMs, { problem: `not captured within ${limitMs} ms` }, { signal: done.signal }),
      ]);
    } finally {
      done.abort();
    }
  }

  async #capture(input: CaptureInput, context: MachineContext): Promise<SnapshotReply> {
    // Before the capture: what changes during it counts as new.
    const state = await stateOf(input);
    const reply = await captureSnapshot(input, context);
    this.#newest = state === undefined ? undefined : { seq: reply.seq, state };
    return reply;
  }

  /**
   * Whether another capture would hold what that at `seq` does, as far as is known without running git: never for a
   * workspace with checkouts, which anybody may have changed, nor for a capture of an earlier runner.
   */
  async #isUnchangedSince(seq: number | undefined, input: CaptureInput): Promise<boolean> {
    return seq !== undefined && this.#newest?.seq === seq && this.#newest.state === (await stateOf(input));
  }
}

/** Names, sizes and times of the conversation's files; undefined when there is more than the conversation. */
async function stateOf({ program, workspace }: CaptureInput): Promise<string | undefined> {
  if (workspace.checkouts.length > 0) return undefined;
  const files = await program.transcriptFiles();
  return JSON.stringify(files.map((file) => [file, ...sizeAndTime(file)]));
}

function sizeAndTime(file: string): readonly number[] {
  const found = lstatSync(file, { throwIfNoEntry: false });
  return found === undefined ? [] : [found.size, found.mtimeMs];
}
