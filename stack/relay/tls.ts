// Relays programs with the client certificate to Temporal. The protocol decides the target port: gRPC uses HTTP/2.
import { readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { createServer, type Server, type TLSSocket } from 'node:tls';
import type { ServerCertificate } from '../network/certificates.ts';
import type { RelayOrder } from './order.ts';
import { listenOn, UnauthenticatedConnections } from './unauthenticated.ts';

/** A client on this host needs milliseconds. A connection without a certificate is closed after this time. */
const HANDSHAKE_MS = 5_000;

/** Serves the listening socket `descriptor`. Throws when the certificates cannot be read. */
export function serveTls(descriptor: number, files: ServerCertificate, inside: RelayOrder['inside']): void {
  listenOn(createTlsServer(files, inside), descriptor, 'the relay of Temporal');
}

/** The server without its socket. Beyond the limit, the oldest handshake is ended. */
export function createTlsServer(
  files: ServerCertificate,
  inside: Pick<RelayOrder['inside'], 'grpc' | 'http'>,
  unauthenticated = new UnauthenticatedConnections(),
): Server {
  const server = createServer(
    {
      ca: readFileSync(files.ca),
      cert: readFileSync(files.certificate),
      key: readFileSync(files.key),
      requestCert: true,
      rejectUnauthorized: true,
      minVersion: 'TLSv1.3',
      ALPNProtocols: ['h2', 'http/1.1'],
      handshakeTimeout: HANDSHAKE_MS,
    },
    (client) => {
      unauthenticated.admit(client);
      // A client that names no protocol speaks HTTP/1.1, as Node's does.
      pipe(client, client.alpnProtocol === 'h2' ? inside.grpc : inside.http);
    },
  );
  server.on('tlsClientError', (_error, socket) => socket.destroy());
  unauthenticated.watch(server);
  return server;
}

/** The end or an error of one side ends the other: neither protocol needs half-open connections. */
function pipe(client: TLSSocket, port: number): void {
  const temporal = connect({ port, host: '127.0.0.1', noDelay: true });
  client.setNoDelay(true);
  client.pipe(temporal).pipe(client);
  for (const [one, other] of [
    [client, temporal],
    [temporal, client],
  ] as const) {
    one.on('error', () => other.destroy());
    one.on('close', () => other.destroy());
  }
}
