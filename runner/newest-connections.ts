// Limits the open connections of a port that every process of the host can reach: without descriptors, the process could
// serve none of its machines. The oldest is closed, because closing the newest would let whoever came first shut out all.
import type { Duplex } from 'node:stream';

export class NewestConnections {
  readonly #limit: number;
  /** Oldest first. */
  readonly #open = new Set<Duplex>();

  constructor(limit: number) {
    this.#limit = limit;
  }

  /** Counts the connection while it is open. Closes the oldest one above the limit. */
  add(connection: Duplex): void {
    this.#open.add(connection);
    connection.once('close', () => this.#open.delete(connection));
    const [oldest] = this.#open;
    if (oldest === undefined || this.#open.size <= this.#limit) return;
    this.#open.delete(oldest);
    oldest.destroy();
  }

  /** Does not count the connection from now on. */
  release(connection: Duplex): void {
    this.#open.delete(connection);
  }
}
