// The port to objects: snapshots, long texts, records of ended agents, uploads. Implementations: directory and memory.
import type { Readable } from 'node:stream';

/**
 * Identifies one content of one key. Each write makes a new generation, also with the same bytes and after a delete.
 * Opaque: compare generations for equality only, and only within one store.
 */
export type Generation = string;

/**
 * What must hold when a write or a delete takes effect: the object still has this generation (`if`), or does not exist
 * (`ifAbsent`). Otherwise the call throws FAILED_PRECONDITION and changes nothing. Of several writers with the same
 * condition, exactly one succeeds. Conditions only protect against other conditional calls: such a key must never be
 * written or deleted without one.
 */
export type WriteCondition = { readonly if: Generation } | { readonly ifAbsent: true };

/** An object in memory. */
export interface StoredObject {
  readonly content: Buffer;
  readonly generation: Generation;
}

/** An object as a stream. The caller reads it to its end or destroys it. */
export interface ObjectStream {
  readonly bytes: number;
  readonly generation: Generation;
  /**
   * The whole content of this generation, or an error. It never mixes two generations and never ends early without an
   * error, also when the object is replaced or deleted meanwhile.
   */
  readonly content: Readable;
}

/** The result of a streamed write. */
export interface WrittenObject {
  readonly bytes: number;
  readonly generation: Generation;
}

/** Which keys a page holds. */
export interface ListRequest {
  readonly prefix: string;
  /** Keys after this one: `next` of the previous page. */
  readonly after?: string;
  /** At most this many keys, from 1 to `PAGE_LIMIT`, the default. Other limits throw INVALID_ARGUMENT. */
  readonly limit?: number;
}

/** Keys in order, and where the next page begins. The last page has no `next`. */
export interface ObjectPage {
  readonly keys: readonly string[];
  readonly next?: string;
}

/** Most keys of one page: cloud buckets return as many at once. */
export const PAGE_LIMIT = 1_000;

/**
 * Keys are `/`-separated segments of `A-Za-z0-9._-` (no empty segment, `.` or `..`), at most 1,000 characters; others
 * throw INVALID_ARGUMENT. Every call throws UNAVAILABLE when the store cannot be reached. Disposing closes open files
 * and connections. No call is made after it.
 */
export interface ObjectStore extends AsyncDisposable {
  /** Writes atomically: a reader sees the old or the new content, also after a crash. */
  put(key: string, content: Buffer | string, condition?: WriteCondition): Promise<Generation>;
  /** `put` with `ifAbsent`. Resolves with whether it stored the object, instead of throwing. */
  create(key: string, content: Buffer | string): Promise<boolean>;
  /** The content alone; undefined when there is no such object. */
  get(key: string): Promise<Buffer | undefined>;
  /** The content with its generation, for a write that depends on it; undefined when there is no such object. */
  read(key: string): Promise<StoredObject | undefined>;
  /**
   * `put` for content that is too large for memory. The object is stored once the source has ended. After an error of
   * the source, which is thrown unchanged, the old object stays.
   */
  putStream(key: string, source: AsyncIterable<Uint8Array>, condition?: WriteCondition): Promise<WrittenObject>;
  /** Undefined when there is no such object. */
  getStream(key: string): Promise<ObjectStream | undefined>;
  /** No-op for an absent object, unless a generation is required. */
  delete(key: string, condition?: Extract<WriteCondition, { if: Generation }>): Promise<void>;
  /** One page of the keys that begin with the prefix, sorted. Each page shows the store at the time of its call. */
  page(request: ListRequest): Promise<ObjectPage>;
  /** Every key that begins with the prefix, sorted. For prefixes with few keys. */
  list(prefix: string): Promise<readonly string[]>;
}
