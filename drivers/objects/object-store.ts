// The port to objects: snapshots, long texts, records of ended agents. Implementations: directory and memory.

/**
 * Keys are `/`-separated segments of `A-Za-z0-9._-` (no empty segment, `.` or `..`), at most 1,000 characters;
 * others throw INVALID_ARGUMENT.
 */
export interface ObjectStore {
  /** Replaces atomically: a reader sees the old or the new content, also after a crash. */
  put(key: string, content: Buffer | string): Promise<void>;
  /** Undefined when there is no such object. */
  get(key: string): Promise<Buffer | undefined>;
  /** No-op when there is none. */
  delete(key: string): Promise<void>;
  /** Keys that begin with the prefix, sorted. */
  list(prefix: string): Promise<readonly string[]>;
}
