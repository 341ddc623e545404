// The port to objects: snapshots, long texts, records of ended agents, uploads. Implementations: directory and memory.
import type { Readable } from 'node:stream';

/**
 * Names one content of one key. Each write makes a new generation, also with the same bytes and after a delete. Opaque:
 * generations are compared for equality only, and those of one store mean nothing to another.
 */
export type Generation = string;

/**
 * What must hold when a write or a delete takes effect: the object is still of this generation (`if`), or there is no
 * such object (`ifAbsent`). When it does not hold, the call throws FAILED_PRECONDITION and changes nothing. Of several
 * writers with the same condition exactly one succeeds. Only conditions are compared with each other: a key that needs
 * them is never written or deleted without one.
 */
export type WriteCondition = { readonly if: Generation } | { readonly ifAbsent: true };

/** An object in memory. */
export interface StoredObject {
  readonly content: Buffer;
  readonly generation: Generation;
}

/** An object that is read piece by piece. The caller reads it to its end or destroys it. */
export interface ObjectStream {
  readonly bytes: number;
  readonly generation: Generation;
  /**
   * The content of this one generation, or an error: never a mixture of two and never a part that looks like the whole,
   * also when the object is replaced or deleted while it is read.
   */
  readonly content: Readable;
}

/** What was written piece by piece. */
export interface WrittenObject {
  readonly bytes: number;
  readonly generation: Generation;
}

/** Which keys a page holds. */
export interface ListRequest {
  readonly prefix: string;
  /** Keys after this one; the `next` of the page before. */
  readonly after?: string;
  /** At most this many keys: from 1 to `PAGE_LIMIT`, which is the default. Others throw INVALID_ARGUMENT. */
  readonly limit?: number;
}

/** Keys in order, and where the next page begins; without `next` it is the last one. */
export interface ObjectPage {
  readonly keys: readonly string[];
  readonly next?: string;
}

/** Most keys of one page: as many as a bucket gives at once. */
export const PAGE_LIMIT = 1_000;

/**
 * Keys are `/`-separated segments of `A-Za-z0-9._-` (no empty segment, `.` or `..`), at most 1,000 characters; others
 * throw INVALID_ARGUMENT. Every call throws UNAVAILABLE when the store cannot be reached. Disposing releases what the
 * store holds open; no call is made after it.
 */
export interface ObjectStore extends AsyncDisposable {
  /** Replaces atomically: a reader sees the old or the new content, also after a crash. */
  put(key: string, content: Buffer | string, condition?: WriteCondition): Promise<Generation>;
  /** `put` with `ifAbsent` that answers whether it stored the object instead of throwing. */
  create(key: string, content: Buffer | string): Promise<boolean>;
  /** The content alone; undefined when there is no such object. */
  get(key: string): Promise<Buffer | undefined>;
  /** The content with its generation, for a write that depends on it; undefined when there is no such object. */
  read(key: string): Promise<StoredObject | undefined>;
  /**
   * `put` for what is too large to be held in memory. The object is stored once the source has ended: one that breaks off
   * never becomes an object. An error of the source is thrown as it is, and leaves what was there.
   */
  putStream(key: string, source: AsyncIterable<Uint8Array>, condition?: WriteCondition): Promise<WrittenObject>;
  /** Undefined when there is no such object. */
  getStream(key: string): Promise<ObjectStream | undefined>;
  /** Does nothing when there is no such object, unless a generation is asked for. */
  delete(key: string, condition?: Extract<WriteCondition, { if: Generation }>): Promise<void>;
  /** One page of the keys that begin with the prefix, sorted. Pages of a store that changes are each true of their time. */
  page(request: ListRequest): Promise<ObjectPage>;
  /** Every key that begins with the prefix, sorted; for prefixes that are known to hold few. */
  list(prefix: string): Promise<readonly string[]>;
}
