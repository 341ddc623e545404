// Limits connections that have not authenticated yet: every process of the host can open them.
import type { Server, Socket } from 'node:net';

/**
 * Most unauthenticated connections, some 50 KB each. Our clients authenticate within milliseconds. To displace one, a
 * process would have to open this many connections within that time.
 */
export const UNAUTHENTICATED_LIMIT = 256;

/** Milliseconds between two log lines about accept errors: each of many connections may cause one. */
const LOG_INTERVAL_MS = 1_000;

/** Identifies a connection to a port, for the TLS socket and for the socket beneath it. */
type Peer = Pick<Socket, 'remoteAddress' | 'remotePort'>;

/** Counts the unauthenticated connections of a server, and closes the oldest when there are too many. */
export class UnauthenticatedConnections {
  readonly #limit: number;
  /** Oldest first. */
  readonly #sockets = new Map<string, Socket>();

  constructor(limit = UNAUTHENTICATED_LIMIT) {
    this.#limit = limit;
  }

  /** Tracks each new connection of the server. */
  watch(server: Server): void {
    server.on('connection', (socket: Socket) => this.#add(socket));
  }

  /** The connection has authenticated: stops tracking it. */
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
 * Listens on an inherited descriptor. An error before it listens is not handled. A later error, such as EMFILE at an
 * accept, only loses that connection and is logged.
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
