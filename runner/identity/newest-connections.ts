// Limits the open connections of a port that every process of the host can reach. Without free descriptors, the process
// could serve none of its machines. Above the limit, the oldest connection is closed: if the newest were closed, whoever
// came first could keep all others out.
import type { Duplex } from 'node:stream';

export class NewestConnections {
  readonly #limit: number;
  readonly #limitMs: number | undefined;
  /** Oldest first, each with the timer that closes it. */
  readonly #open = new Map<Duplex, NodeJS.Timeout | undefined>();

  /** @param limitMs after this time, in milliseconds, a connection is closed unless it was released */
  constructor(limit: number, limitMs?: number) {
    this.#limit = limit;
    this.#limitMs = limitMs;
  }

  /** Connections that are counted. */
  get size(): number {
    return this.#open.size;
  }

  /** Counts the connection while it is open. Closes the oldest one above the limit. */
  add(connection: Duplex): void {
    const timer =
      this.#limitMs === undefined ? undefined : setTimeout(() => connection.destroy(), this.#limitMs).unref();
    this.#open.set(connection, timer);
    connection.once('close', () => this.release(connection));
    const [oldest] = this.#open.keys();
    if (oldest === undefined || this.#open.size <= this.#limit) return;
    this.release(oldest);
    oldest.destroy();
  }

  /** Does not count the connection from now on, and does not close it. */
  release(connection: Duplex): void {
    clearTimeout(this.#open.get(connection));
    this.#open.delete(connection);
  }

  /** Closes all that are counted. */
  closeAll(): void {
    for (const connection of this.#open.keys()) connection.destroy();
  }
}
