// Caches the end of each log that this process writes to. An append then reads only what other processes wrote since.
import type { FileHandle } from 'node:fs/promises';
import type { LogPosition } from './log-file.ts';
import { entriesFrom, LOG_START, seek } from './log-file.ts';

/** Ends in memory, a few hundred bytes each. Beyond this number, an append needs one seek. */
const KEPT_ENDS = 10_000;

interface LogEnd {
  /** Inode and birth time change when a log is cut, or removed and created again. */
  readonly inode: number;
  readonly born: number;
  readonly position: LogPosition;
}

export class LogEnds {
  readonly #ends = new Map<string, LogEnd>();
  readonly #queues = new Map<string, Promise<unknown>>();

  /** Serializes the acts on one agent's log. */
  exclusive<T>(agent: string, act: () => Promise<T>): Promise<T> {
    const previous = this.#queues.get(agent) ?? Promise.resolve();
    const result = previous.then(act, act);
    const settled = result.then(
      () => undefined,
      () => undefined,
    );
    this.#queues.set(agent, settled);
    void settled.then(() => {
      if (this.#queues.get(agent) === settled) this.#queues.delete(agent);
    });
    return result;
  }

  /** The position after the last whole line, and the file's size. Called within `exclusive`. */
  async catchUp(agent: string, file: FileHandle): Promise<LogPosition & { readonly size: number }> {
    const { size, ino: inode, birthtimeMs: born } = await file.stat();
    const known = this.#ends.get(agent);
    const isSame = known?.inode === inode && known.born === born && known.position.offset <= size;
    let position = isSame ? known.position : size === 0 ? LOG_START : await seek(file, size, Number.POSITIVE_INFINITY);
    if (position.offset < size) {
      for await (const read of entriesFrom(file, position)) position = read.position;
    }
    this.#keep(agent, { inode, born, position });
    return { ...position, size: Math.max(size, position.offset) };
  }

  #keep(agent: string, end: LogEnd): void {
    this.#ends.delete(agent);
    this.#ends.set(agent, end);
    const oldest = this.#ends.size > KEPT_ENDS ? this.#ends.keys().next().value : undefined;
    if (oldest !== undefined) this.#ends.delete(oldest);
  }
}
