// Relays browsers with a link of `murmur url temporal` to Temporal's Web UI. Other requests get a 403.
import { randomBytes } from 'node:crypto';
import { renameSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, request, type IncomingMessage, type OutgoingHttpHeaders, type ServerResponse } from 'node:http';
import { connectionHeaders } from '../../contract/wire/connection-headers.ts';
import { isLinkHost } from './link.ts';
import type { RelayOrder } from './order.ts';
import { listenOn, UnauthenticatedConnections } from './unauthenticated.ts';

/** The URL contains the key, so it must not reach other sites or caches. */
const PRIVACY = { 'referrer-policy': 'no-referrer', 'cache-control': 'no-store', 'x-frame-options': 'DENY' } as const;

/** Time limit for the head of a request. A browser on this host needs milliseconds. */
const HEAD_MS = 5_000;

/**
 * Serves the listening sockets. Each start creates a new key: a browser may have sent a link to a program that listened
 * on the port before.
 */
export function serveUi(descriptors: readonly number[], ui: RelayOrder['ui'], insidePort: number): void {
  const key = randomBytes(32);
  writeKey(ui.keyFile, key);
  const unauthenticated = new UnauthenticatedConnections();
  for (const fd of descriptors) {
    const server = createServer(
      { headersTimeout: HEAD_MS, connectionsCheckingInterval: HEAD_MS / 5 },
      (incoming, answer) => {
        if (isLinkHost(incoming.headers.host, key, ui.port, Date.now())) {
          unauthenticated.admit(incoming.socket);
          pass(incoming, answer, insidePort);
        } else answer.writeHead(403, { connection: 'close' }).end();
      },
    );
    unauthenticated.watch(server);
    listenOn(server, fd, "the relay of Temporal's Web UI");
  }
}

/** Writes the key atomically, readable by its owner only. */
function writeKey(file: string, key: Uint8Array): void {
  const fresh = `${file}.new`;
  rmSync(fresh, { force: true });
  writeFileSync(fresh, key, { mode: 0o600, flag: 'wx' });
  renameSync(fresh, file);
}

function pass(incoming: IncomingMessage, answer: ServerResponse, port: number): void {
  const { method, url } = incoming;
  const headers: OutgoingHttpHeaders = { ...endToEnd(incoming), host: `127.0.0.1:${port.toString()}` };
  const outgoing = request({ host: '127.0.0.1', port, method, path: url, headers }, (reply) => {
    try {
      answer.writeHead(reply.statusCode ?? 502, { ...endToEnd(reply), ...PRIVACY });
    } catch {
      answer.destroy(); // a status or header that Node does not write
      return;
    }
    reply.pipe(answer);
    reply.once('error', () => answer.destroy());
  });
  outgoing.once('error', () => {
    if (answer.headersSent) answer.destroy();
    else answer.writeHead(502, { 'content-type': 'text/plain', ...PRIVACY }).end('Temporal does not answer\n');
  });
  answer.once('close', () => outgoing.destroy());
  incoming.once('error', () => outgoing.destroy());
  incoming.pipe(outgoing);
}

function endToEnd({ headers }: IncomingMessage): OutgoingHttpHeaders {
  const dropped = connectionHeaders(headers.connection);
  return Object.fromEntries(Object.entries(headers).filter(([name]) => !dropped.has(name)));
}
