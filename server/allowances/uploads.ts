// Limits the total bytes of an agent's uploads. The object store has the total; arriving bytes are counted in memory.
import { MurmurError } from '../../contract/wire/errors.ts';
import { uploadTotalKey } from '../../contract/wire/object-keys.ts';
import type { ObjectStore } from '../../drivers/objects/object-store.ts';

const MIB = 1_048_576;

/** The stored total of an agent. */
interface UploadTotal {
  readonly bytes: number;
}

/** The uploads of one agent. */
interface Uploader {
  /** Bytes of finished uploads. */
  total: number;
  /** Bytes of uploads that are arriving. */
  arriving: number;
  /** The last write of the total. Writes are serialized. */
  written: Promise<void>;
}

/** An agent's uploads, and how many of them are in progress. */
interface Remembered {
  uploads: number;
  readonly uploader: Promise<Uploader>;
}

/** Agents in memory, at some 300 bytes each. The totals of others are read again from the object store. */
const REMEMBERED = 1_000;

export class UploadAllowance {
  readonly #objects: ObjectStore;
  readonly #limit: number;
  readonly #remembered: number;
  /** In order of their last upload, oldest first. */
  readonly #uploaders = new Map<string, Remembered>();

  constructor(objects: ObjectStore, limitMb: number, remembered = REMEMBERED) {
    this.#objects = objects;
    this.#limit = limitMb * MIB;
    this.#remembered = remembered;
  }

  /**
   * Stores an upload of the agent with `store`, and counts the pieces of its source. Throws RESOURCE_EXHAUSTED as soon
   * as the agent exceeds its limit, and the errors of `store`.
   * @param replaced bytes that were already counted for the same upload, if it is a repetition
   */
  async count(
    agentId: string,
    source: AsyncIterable<Uint8Array>,
    replaced: number,
    store: (counted: AsyncIterable<Uint8Array>) => Promise<number>,
  ): Promise<number> {
    const known = this.#begin(agentId);
    try {
      return await this.#countFor(agentId, await known.uploader, source, replaced, store);
    } finally {
      known.uploads -= 1;
    }
  }

  async #countFor(
    agentId: string,
    uploader: Uploader,
    source: AsyncIterable<Uint8Array>,
    replaced: number,
    store: (counted: AsyncIterable<Uint8Array>) => Promise<number>,
  ): Promise<number> {
    const own = { bytes: 0 };
    const take = (bytes: number): void => {
      own.bytes += bytes;
      uploader.arriving += bytes;
    };
    take(-replaced);
    try {
      const bytes = await store(this.#counted(agentId, uploader, source, take));
      uploader.total += own.bytes;
      take(-own.bytes);
      // Written before the upload is published: after a crash here, the bytes are counted but the upload is missing.
      await this.#write(agentId, uploader);
      return bytes;
    } finally {
      take(-own.bytes);
    }
  }

  async *#counted(
    agentId: string,
    uploader: Uploader,
    source: AsyncIterable<Uint8Array>,
    take: (bytes: number) => void,
  ): AsyncGenerator<Uint8Array> {
    for await (const piece of source) {
      take(piece.length);
      if (uploader.total + uploader.arriving > this.#limit) throw this.#refusal(agentId, uploader.total);
      yield piece;
    }
  }

  #begin(agentId: string): Remembered {
    const known = this.#uploaders.get(agentId) ?? { uploads: 0, uploader: this.#read(agentId) };
    known.uploads += 1;
    // Moves the agent to the end of the order.
    this.#uploaders.delete(agentId);
    this.#uploaders.set(agentId, known);
    known.uploader.catch(() => {
      if (this.#uploaders.get(agentId) === known) this.#uploaders.delete(agentId);
    });
    this.#forget();
    return known;
  }

  /** Forgets the oldest agents, but none with an upload in progress, whose arriving bytes must be counted together. */
  #forget(): void {
    for (const [agentId, { uploads }] of this.#uploaders) {
      if (this.#uploaders.size <= this.#remembered) return;
      if (uploads === 0) this.#uploaders.delete(agentId);
    }
  }

  async #read(agentId: string): Promise<Uploader> {
    const stored = await this.#objects.get(uploadTotalKey(agentId));
    const { bytes } = stored === undefined ? { bytes: 0 } : (JSON.parse(stored.toString('utf8')) as UploadTotal);
    return { total: bytes, arriving: 0, written: Promise.resolve() };
  }

  async #write(agentId: string, uploader: Uploader): Promise<void> {
    const write = async (): Promise<void> => {
      const total: UploadTotal = { bytes: uploader.total };
      await this.#objects.put(uploadTotalKey(agentId), JSON.stringify(total));
    };
    uploader.written = uploader.written.then(write, write);
    await uploader.written;
  }

  #refusal(agentId: string, total: number): MurmurError {
    const limit = String(this.#limit / MIB);
    const message = `/${agentId} has uploaded ${(total / MIB).toFixed(1)} of ${limit} MiB (\`uploads_mb\` in murmur.yaml): this file does not fit`;
    return new MurmurError('RESOURCE_EXHAUSTED', message, {
      hint: 'upload less; the owner of the host sets limits.uploads_mb',
      details: { limit_bytes: this.#limit, uploaded_bytes: total },
    });
  }
}
