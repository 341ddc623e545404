// Listening sockets that the supervisor holds while it runs. The processes that serve them inherit them: one that is
// restarted leaves its port to nobody, and one in another network namespace could not open the host's ports.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import net from 'node:net';
import { networkInterfaces } from 'node:os';

export interface ListenAddress {
  readonly host: string;
  readonly port: number;
}

export interface Listeners {
  /** Descriptors in the order of the addresses; a child gets copies. */
  readonly descriptors: readonly number[];
  close(): void;
}

/** The first descriptor that a child inherits beside its standard ones. */
export const FIRST_DESCRIPTOR = 3;

/** Where a browser looks for a name under `localhost`: IPv6 first, so that nobody else may listen there. */
export function localhostAddresses(port: number): readonly ListenAddress[] {
  const addresses = Object.values(networkInterfaces()).flatMap((each) => each ?? []);
  const hasIpv6 = addresses.some(({ address }) => address === '::1');
  return ['127.0.0.1', ...(hasIpv6 ? ['::1'] : [])].map((host) => ({ host, port }));
}

/**
 * Binds the addresses and makes the sockets listen. This process never accepts: a connection waits until a child does.
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

/** A socket of Node that is bound and that its event loop does not watch. */
interface BoundSocket {
  readonly fd: number;
  /** 0, or a negative error number: libuv reports an address that is taken only here. */
  getsockname(out: object): number;
  close(): void;
}

/** How `node:cluster` binds the sockets that its workers share. Node has no documented way to bind without accepting. */
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
 * Makes the sockets listen, in a process that ends before its event loop could accept a connection. A bound socket alone
 * holds no port: libuv allows the reuse of addresses, and another program could bind the same and listen first.
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
