// The captures of one runner: one at a time. When the runner stops, skips a capture that would contain nothing new.
import { lstatSync } from 'node:fs';
import type { FinalSnapshotRequest, SnapshotReply, StopReport } from '../../contract/wire/runner.ts';
import type { MachineContext } from '../machine-context.ts';
import { captureSnapshot } from './capture.ts';
import type { CaptureInput } from './capture.ts';

type FinalSnapshot = Omit<StopReport, 'events'>;

export class Captures {
  #newest: { readonly seq: number; readonly state: string } | undefined;
  #running: Promise<unknown> | undefined;

  /** The capture in progress. */
  get running(): Promise<unknown> | undefined {
    return this.#running;
  }

  /** See `captureSnapshot`. Waits for a capture in progress. */
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

  /**
   * The last capture of a stopping runner. Never rejects. `ready` resolves with its input, or undefined without a
   * session.
   */
  async last(
    { snapshot_ms: limitMs, stored_seq: stored }: FinalSnapshotRequest,
    ready: () => Promise<CaptureInput | undefined>,
    context: MachineContext,
  ): Promise<FinalSnapshot> {
    const late = Promise.withResolvers<FinalSnapshot>();
    const problem = `not captured within ${limitMs} ms`;
    const timer = setTimeout(() => late.resolve({ problem }), limitMs);
    const capture = async (): Promise<FinalSnapshot> => {
      const input = await ready();
      if (input === undefined || (await this.#isUnchangedSince(stored, input))) return {};
      return { snapshot: await this.capture(input, context) };
    };
    try {
      return await Promise.race([capture().catch((error: unknown) => ({ problem: String(error) })), late.promise]);
    } finally {
      clearTimeout(timer);
    }
  }

  async #capture(input: CaptureInput, context: MachineContext): Promise<SnapshotReply> {
    // Read before the capture, so that changes during the capture count as new.
    const state = await stateOf(input);
    const reply = await captureSnapshot(input, context);
    this.#newest = state === undefined ? undefined : { seq: reply.seq, state };
    return reply;
  }

  /**
   * Whether another capture would have the same content as the one at `seq`. Does not run git, so it is false for a
   * workspace with checkouts, and for a capture of an earlier runner.
   */
  async #isUnchangedSince(seq: number | undefined, input: CaptureInput): Promise<boolean> {
    return seq !== undefined && this.#newest?.seq === seq && this.#newest.state === (await stateOf(input));
  }
}

/** Names, sizes and times of the conversation's files; undefined when there are checkouts. */
async function stateOf({ program, workspace }: CaptureInput): Promise<string | undefined> {
  if (workspace.checkouts.length > 0) return undefined;
  const files = await program.transcriptFiles();
  return JSON.stringify(files.map((file) => [file, ...sizeAndTime(file)]));
}

function sizeAndTime(file: string): readonly number[] {
  const found = lstatSync(file, { throwIfNoEntry: false });
  return found === undefined ? [] : [found.size, found.mtimeMs];
}
