// Listening sockets of the host's loopback that a child process inherits, as one that starts in another network
// namespace cannot open them.
import { once } from 'node:events';
import { createServer, type Server } from 'node:net';
import { networkInterfaces } from 'node:os';

export interface ListenAddress {
  readonly host: string;
  readonly port: number;
}

export interface Listeners {
  /** Descriptors in the order of the addresses; the child gets copies. */
  readonly descriptors: readonly number[];
  close(): void;
}

/** Where a browser looks for a name under `localhost`: IPv6 first, so that nobody else may listen there. */
export function localhostAddresses(port: number): readonly ListenAddress[] {
  const addresses = Object.values(networkInterfaces()).flatMap((each) => each ?? []);
  const hasIpv6 = addresses.some(({ address }) => address === '::1');
  return ['127.0.0.1', ...(hasIpv6 ? ['::1'] : [])].map((host) => ({ host, port }));
}

/**
 * Opens them. Start the child and close them at once, without waiting for anything: this process would otherwise accept
 * connections, which it ends. Those to an address before the last may be ended in any case. Throws the system's error for
 * an address that is taken.
 */
export async function openListeners(addresses: readonly ListenAddress[]): Promise<Listeners> {
  const servers: Server[] = [];
  const close = (): void => {
    for (const server of servers) server.close();
  };
  try {
    for (const address of addresses) {
      const server = createServer((socket) => socket.destroy());
      servers.push(server);
      server.listen({ ...address, exclusive: true });
      await once(server, 'listening');
    }
    return { descriptors: servers.map(descriptorOf), close };
  } catch (error) {
    close();
    throw error;
  }
}

/** Node has no public way to a server's descriptor, and passes a server itself only to another Node, by messages. */
function descriptorOf(server: Server): number {
  const { fd } = (server as unknown as { readonly _handle: { readonly fd: number } })._handle;
  if (Number.isInteger(fd) && fd >= 0) return fd;
  throw new Error('this version of Node does not tell the descriptor of a server');
}
