// Connections that have proved nothing yet. Every process of the host can open them, so they are few.
import type { Server, Socket } from 'node:net';

/**
 * Unproved connections at once, some 50 KB each. A client of ours is unproved for milliseconds: to push one out, somebody has
 * to open as many connections within that time.
 */
export const STRANGERS = 256;

/** Log lines of accept errors: one a second at most, as each of many connections may cause one. */
const LOG_INTERVAL_MS = 1_000;

/** What tells two connections to the same port apart, also when TLS lies over one of them. */
type Peer = Pick<Socket, 'remoteAddress' | 'remotePort'>;

/** Keeps count of a server's unproved connections, and ends the oldest when there are too many. */
export class Strangers {
  readonly #limit: number;
  /** The oldest first. */
  readonly #sockets = new Map<string, Socket>();

  constructor(limit = STRANGERS) {
    this.#limit = limit;
  }

  /** Counts each connection of the server from now on. */
  watch(server: Server): void {
    server.on('connection', (socket: Socket) => this.#add(socket));
  }

  /** The connection has proved whose it is: it stays. */
  admit(peer: Peer): void {
    this.#sockets.delete(nameOf(peer));
  }

  #add(socket: Socket): void {
    const name = nameOf(socket);
    this.#sockets.set(name, socket);
    socket.once('close', () => {
      if (this.#sockets.get(name) === socket) this.#sockets.delete(name);
    });
    if (this.#sockets.size <= this.#limit) return;
    const [oldest] = this.#sockets;
    if (oldest === undefined) return;
    this.#sockets.delete(oldest[0]);
    oldest[1].destroy();
  }
}

/**
 * Listens on an inherited descriptor. Fails loudly when it cannot; an error once it listens, such as EMFILE when it accepts,
 * costs that connection only and is logged.
 */
export function listenOn(server: Server, descriptor: number, name: string): void {
  let loggedAt = -Infinity;
  server.once('listening', () => {
    server.on('error', (error) => {
      const now = performance.now();
      if (now - loggedAt < LOG_INTERVAL_MS) return;
      loggedAt = now;
      process.stderr.write(`${name}: a connection was lost: ${error.message}\n`);
    });
  });
  server.listen({ fd: descriptor });
}

function nameOf({ remoteAddress, remotePort }: Peer): string {
  return `${String(remoteAddress)} ${String(remotePort)}`;
}
