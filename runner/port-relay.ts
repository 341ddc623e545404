// The machine's loopback port for the API server. The agent program learns the port once, at its start. The address
// behind the port may change.
import { connect, createServer } from 'node:net';
import type { AddressInfo, Server, Socket } from 'node:net';
import type { ServerAddress } from '../contract/wire/runner.ts';
import { NewestConnections } from './identity/newest-connections.ts';
import { readState, writeState } from './state-file.ts';

/**
 * Connections at once, two descriptors each. An agent that waits for each of its children with a program of its own has
 * some tens.
 */
const CONNECTIONS = 256;

/**
 * The agent's processes send its token to the port, so no other process may get the port while one of them runs. In
 * namespaces they end with a killed runner; processes of the next runner learn its port.
 */
export class PortRelay {
  readonly #file: string;
  readonly #open = new Set<Socket>();
  readonly #callers = new NewestConnections(CONNECTIONS);
  #server: ServerAddress | undefined;
  #greeting = '';
  #listening: Promise<Server> | undefined;

  /** `file` stores the port, so that a restarted runner takes the same one if it is free. */
  constructor(file: string) {
    this.#file = file;
  }

  /**
   * Relays new connections to this server; open ones keep theirs. Starts listening at the first call. Resolves with the
   * port, which does not change.
   */
  async relayTo(server: ServerAddress, greeting = ''): Promise<number> {
    this.#server = server;
    this.#greeting = greeting;
    this.#listening ??= this.#listen();
    return portOf(await this.#listening);
  }

  /** Ends every connection and stops listening. No-op if it never listened. */
  async close(): Promise<void> {
    const server = await this.#listening?.catch(() => undefined);
    for (const socket of this.#open) socket.destroy();
    const { promise, resolve } = Promise.withResolvers<void>();
    if (server === undefined) resolve();
    else server.close(() => resolve());
    await promise;
  }

  async #listen(): Promise<Server> {
    const before = readState<{ readonly port: number }>(this.#file)?.port ?? 0;
    const server = await listenOn(before, this.#relay).catch(() => listenOn(0, this.#relay));
    writeState(this.#file, { port: portOf(server) });
    return server;
  }

  readonly #relay = (caller: Socket): void => {
    this.#callers.add(caller);
    const { host, port } = this.#server ?? { host: '127.0.0.1', port: 0 };
    const server = connect({ host, port, noDelay: true, allowHalfOpen: true });
    if (this.#greeting !== '') server.write(this.#greeting);
    for (const [from, to] of [
      [caller, server],
      [server, caller],
    ] as const) {
      this.#open.add(from);
      // When the server is down, the caller's connection closes too, and clients retry.
      from.on('error', () => to.destroy());
      from.on('close', () => {
        this.#open.delete(from);
        if (!from.readableEnded) to.destroy();
      });
      from.pipe(to);
    }
  };
}

async function listenOn(port: number, onConnection: (caller: Socket) => void): Promise<Server> {
  const server = createServer({ allowHalfOpen: true, noDelay: true }, onConnection);
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  server.once('error', reject);
  server.listen(port, '127.0.0.1', resolve);
  await promise;
  // Accepting may fail without free file descriptors. That connection is lost, the others continue.
  server.on('error', () => undefined);
  return server;
}

function portOf(server: Server): number {
  return (server.address() as AddressInfo).port;
}
