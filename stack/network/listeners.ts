// Listening sockets that the supervisor holds while it runs. The serving processes inherit them. So no other program
// can take a port during a restart, and a process in another network namespace can serve the host's ports.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import net from 'node:net';
import { networkInterfaces } from 'node:os';

export interface ListenAddress {
  readonly host: string;
  readonly port: number;
}

export interface Listeners {
  /** Descriptors in the order of the addresses. Children get copies. */
  readonly descriptors: readonly number[];
  close(): void;
}

/** The first descriptor that a child inherits after stdin, stdout and stderr. */
export const FIRST_DESCRIPTOR = 3;

/** Addresses of a name below `localhost` in a browser. It tries IPv6 first, so no other program may listen there. */
export function localhostAddresses(port: number): readonly ListenAddress[] {
  const addresses = Object.values(networkInterfaces()).flatMap((each) => each ?? []);
  const hasIpv6 = addresses.some(({ address }) => address === '::1');
  return ['127.0.0.1', ...(hasIpv6 ? ['::1'] : [])].map((host) => ({ host, port }));
}

/**
 * Binds the addresses and listens. This process never accepts; connections wait until a child does.
 * Throws an error with the code EADDRINUSE when an address is taken.
 */
export async function holdListeners(addresses: readonly ListenAddress[]): Promise<Listeners> {
  const sockets: BoundSocket[] = [];
  const close = (): void => {
    for (const socket of sockets) socket.close();
  };
  try {
    for (const address of addresses) sockets.push(bind(address));
    const descriptors = sockets.map(({ fd }) => fd);
    await startListening(descriptors);
    return { descriptors, close };
  } catch (error) {
    close();
    throw error;
  }
}

/** A bound socket of Node that its event loop does not watch. */
interface BoundSocket {
  readonly fd: number;
  /** 0 or a negative error number. libuv reports a taken address only here. */
  getsockname(out: object): number;
  close(): void;
}

/** `node:cluster` binds shared sockets with it. Node has no documented way to bind without accepting. */
const { _createServerHandle: createServerHandle } = net as unknown as {
  _createServerHandle(host: string, port: number, family: 4 | 6): BoundSocket | number;
};

function bind({ host, port }: ListenAddress): BoundSocket {
  const socket = createServerHandle(host, port, net.isIPv6(host) ? 6 : 4);
  if (typeof socket === 'number') throw taken(`${host}:${port.toString()} cannot be bound`);
  if (socket.fd >= 0 && socket.getsockname({}) === 0) return socket;
  socket.close();
  throw taken(`${host}:${port.toString()} is taken`);
}

/**
 * Makes the sockets listen, in a process that ends before its event loop can accept a connection. A bound socket alone
 * does not reserve the port: libuv allows the reuse of addresses, so another program could bind the same one and listen
 * first.
 */
const LISTEN = `
const { createServer } = require('node:net');
process.exit(process.argv.slice(1).every((fd) => {
  const server = createServer().on('error', () => undefined);
  return server.listen({ fd: Number(fd) }).listening;
}) ? 0 : 1);`;

async function startListening(descriptors: readonly number[]): Promise<void> {
  if (descriptors.length === 0) return;
  const copies = descriptors.map((_, index) => String(FIRST_DESCRIPTOR + index));
  const child = spawn(process.execPath, ['-e', LISTEN, ...copies], {
    env: {},
    stdio: ['ignore', 'ignore', 'ignore', ...descriptors],
  });
  const [code] = (await once(child, 'exit')) as [number | null];
  if (code !== 0) throw taken('another program listens on the same address');
}

function taken(message: string): Error {
  return Object.assign(new Error(message), { code: 'EADDRINUSE' });
}
