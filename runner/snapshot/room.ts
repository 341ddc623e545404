// Limits the size of a capture. Captures are stored outside of the agent's disk limit, several times: two on the
// machine, three in the object store. The agent decides what is copied and can change it meanwhile.
import { MurmurError } from '../../contract/wire/errors.ts';
import { SNAPSHOT_LIMIT_BYTES } from '../../contract/wire/runner.ts';

const MIB = 1_048_576;
/** Bytes of all files of the conversation: after weeks some hundred MiB. The agent program reads them completely. */
const TRANSCRIPTS_BYTES = 1024 * MIB;
/** Files of the conversation. Each needs a request to the object store; more would take over a quarter of an hour. */
const TRANSCRIPTS_COUNT = 50_000;
/** The best compression ratio of a file system, for repetitive text. Far above it, a file is mostly holes. */
const DENSEST = 16;
/** Smaller files may look like holes: some file systems count blocks only seconds after they were written. */
const UNCOUNTED_BYTES = 64 * MIB;
const BLOCK_BYTES = 512;

/** A budget of bytes. They are taken before they are written. */
export class Room {
  readonly #what: string;
  readonly #bytes: number;
  readonly #within: Room | undefined;
  #left: number;

  /**
   * @param what names the content in errors
   * @param within a larger room from which the bytes are taken too
   */
  constructor(what: string, bytes: number, within?: Room) {
    this.#what = what;
    this.#bytes = bytes;
    this.#left = bytes;
    this.#within = within;
  }

  /** Throws RESOURCE_EXHAUSTED when fewer bytes are left. */
  require(bytes: number): void {
    this.#within?.require(bytes);
    if (bytes <= this.#left) return;
    throw tooMuch(`${this.#what} would hold more than ${String(Math.floor(this.#bytes / MIB))} MiB`);
  }

  /** Takes bytes. Throws as `require` does. */
  take(bytes: number): void {
    this.require(bytes);
    this.#within?.take(bytes);
    this.#left -= bytes;
  }

  /** The source's pieces. Takes the bytes of each piece before it is passed on. */
  async *fill<Piece extends Uint8Array>(source: AsyncIterable<Piece>): AsyncGenerator<Piece> {
    for await (const piece of source) {
      this.take(piece.length);
      yield piece;
    }
  }
}

/** Room for a capture: the limit of snapshots, or the agent's disk limit if that is smaller. */
export function captureRoom(diskMb = Infinity): Room {
  return new Room('the snapshot', Math.min(SNAPSHOT_LIMIT_BYTES, diskMb * MIB));
}

/** Room within a capture for the files of the conversation. Throws RESOURCE_EXHAUSTED for too many files. */
export function transcriptRoom(capture: Room, count: number): Room {
  if (count > TRANSCRIPTS_COUNT) throw tooMuch(`the conversation has more than ${String(TRANSCRIPTS_COUNT)} files`);
  return new Room('the files of the conversation', TRANSCRIPTS_BYTES, capture);
}

/** Throws RESOURCE_EXHAUSTED for a file whose size is far larger than its space on disk. */
export function refuseSparse(name: string, { size, blocks }: { readonly size: number; readonly blocks: number }): void {
  const held = blocks * BLOCK_BYTES;
  if (size <= UNCOUNTED_BYTES + held * DENSEST) return;
  throw tooMuch(
    `${name} has a size of ${String(Math.ceil(size / MIB))} MiB, and ${String(Math.ceil(held / MIB))} on disk`,
  );
}

function tooMuch(problem: string): MurmurError {
  return new MurmurError('RESOURCE_EXHAUSTED', `no snapshot: ${problem}`, {
    hint: 'tell the agent to delete what it does not need; the snapshot before stays',
  });
}
