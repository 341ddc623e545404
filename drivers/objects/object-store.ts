// The port to objects: snapshots, long texts, records of ended agents, uploads. Implementations: directory and memory.
import type { Readable } from 'node:stream';

/** An object that is read piece by piece. Whoever asked for it reads it to its end or destroys it. */
export interface ObjectStream {
  readonly bytes: number;
  /** The content as it was when it was asked for, also when the object is replaced or deleted meanwhile. */
  readonly content: Readable;
}

/**
 * Keys are `/`-separated segments of `A-Za-z0-9._-` (no empty segment, `.` or `..`), at most 1,000 characters;
 * others throw INVALID_ARGUMENT.
 */
export interface ObjectStore {
  /** Replaces atomically: a reader sees the old or the new content, also after a crash. */
  put(key: string, content: Buffer | string): Promise<void>;
  /** As `put`, unless there is such an object. Answers whether it was stored; of two at once one is. */
  create(key: string, content: Buffer | string): Promise<boolean>;
  /** Undefined when there is no such object. */
  get(key: string): Promise<Buffer | undefined>;
  /**
   * As `put`, for what is too large to be held in memory: stored once the source has ended. Resolves with the number of
   * bytes. An error of the source is thrown as it is, and leaves what was there.
   */
  putStream(key: string, source: AsyncIterable<Uint8Array>): Promise<number>;
  /** Undefined when there is no such object. */
  getStream(key: string): Promise<ObjectStream | undefined>;
  /** No-op when there is none. */
  delete(key: string): Promise<void>;
  /** Keys that begin with the prefix, sorted. */
  list(prefix: string): Promise<readonly string[]>;
}
