// How much a capture may hold. It is copied out of the agent's folders to where no limit of the disk holds, several times
// over: two on the machine, three in the object store. The agent decides what there is to copy, also while it is copied.
import { MurmurError } from '../../contract/wire/errors.ts';
import { SNAPSHOT_LIMIT_BYTES } from '../../contract/wire/runner.ts';

const MIB = 1_048_576;
/** Files of the conversation in all. After weeks they hold some hundred MiB, and the agent program reads them whole. */
const TRANSCRIPTS_BYTES = 1024 * MIB;
/** Files of the conversation, each a question to the object store: copying more would take a quarter of an hour. */
const TRANSCRIPTS_COUNT = 50_000;
/** What a file system that compresses makes of the dullest text. Far above it a file is mostly holes. */
const DENSEST = 16;
/** A file of this size may be all holes: some file systems count blocks only seconds after they were written. */
const UNCOUNTED_BYTES = 64 * MIB;
const BLOCK_BYTES = 512;

/** Room for so many bytes, of which each is taken before it is written. */
export class Room {
  readonly #what: string;
  readonly #bytes: number;
  readonly #within: Room | undefined;
  #left: number;

  /**
   * @param what is copied into it, for the error
   * @param within takes the same bytes too
   */
  constructor(what: string, bytes: number, within?: Room) {
    this.#what = what;
    this.#bytes = bytes;
    this.#left = bytes;
    this.#within = within;
  }

  /** Throws RESOURCE_EXHAUSTED when there is no room for so many more. */
  require(bytes: number): void {
    this.#within?.require(bytes);
    if (bytes <= this.#left) return;
    throw tooMuch(`${this.#what} would hold more than ${String(Math.floor(this.#bytes / MIB))} MiB`);
  }

  /** As `require`, and takes them. */
  take(bytes: number): void {
    this.require(bytes);
    this.#within?.take(bytes);
    this.#left -= bytes;
  }

  /** The source, taking room for each piece before it is handed on. */
  async *fill<Piece extends Uint8Array>(source: AsyncIterable<Piece>): AsyncGenerator<Piece> {
    for await (const piece of source) {
      this.take(piece.length);
      yield piece;
    }
  }
}

/** Room for a whole capture: the limit of every snapshot, or what the agent's disk may hold where that is less. */
export function captureRoom(diskMb = Infinity): Room {
  return new Room('the snapshot', Math.min(SNAPSHOT_LIMIT_BYTES, diskMb * MIB));
}

/** Room in it for the files of the conversation. Throws RESOURCE_EXHAUSTED for more of them than may be copied. */
export function transcriptRoom(capture: Room, count: number): Room {
  if (count > TRANSCRIPTS_COUNT) throw tooMuch(`the conversation has more than ${String(TRANSCRIPTS_COUNT)} files`);
  return new Room('the files of the conversation', TRANSCRIPTS_BYTES, capture);
}

/** Throws RESOURCE_EXHAUSTED for a file that says it is far larger than what it holds on the disk. */
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
