// A loopback port of the machine for a server elsewhere: the API server, or the broker of git on another host. The agent
// program learns the port once, at its start; where the server listens may change under it.
import { connect, createServer } from 'node:net';
import type { AddressInfo, Server, Socket } from 'node:net';
import type { ServerAddress } from '../contract/wire/runner.ts';
import { readState, writeState } from './state-file.ts';

/**
 * The agent's processes send its token to the port, so the port is held as long as one of them runs: in namespaces they end
 * with a runner that is killed, and those that the next one starts learn the port that it then has.
 */
export class PortRelay {
  readonly #file: string;
  readonly #open = new Set<Socket>();
  #server: ServerAddress | undefined;
  #greeting = '';
  #listening: Promise<Server> | undefined;

  /** `file` keeps the port, so that a runner started again takes the same one when it is free. */
  constructor(file: string) {
    this.#file = file;
  }

  /**
   * Relays connections from now on to this server; those that are open stay where they are. Listens from the first call
   * on. Resolves with the port, always the same one.
   * @param greeting sent to the server before anything else, on each connection
   */
  async relayTo(server: ServerAddress, greeting = ''): Promise<number> {
    this.#server = server;
    this.#greeting = greeting;
    this.#listening ??= this.#listen();
    return portOf(await this.#listening);
  }

  /** Ends every connection and stops listening. No-op when it never listened. */
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
    const { host, port } = this.#server ?? { host: '127.0.0.1', port: 0 };
    const server = connect({ host, port, noDelay: true, allowHalfOpen: true });
    if (this.#greeting !== '') server.write(this.#greeting);
    for (const [from, to] of [
      [caller, server],
      [server, caller],
    ] as const) {
      this.#open.add(from);
      // A server that is down closes the connection, which clients take for what it is and try again.
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
  // Accepting may fail for want of file handles: that connection is lost, the others go on.
  server.on('error', () => undefined);
  return server;
}

function portOf(server: Server): number {
  return (server.address() as AddressInfo).port;
}
