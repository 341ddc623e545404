// A git server over HTTP that accepts only certain requests: `git http-backend` behind basic authentication, or another
// check of the test.
import { spawn } from 'node:child_process';
import { createServer } from 'node:http';
import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import { createServer as createSecureServer } from 'node:https';
import type { ServerOptions } from 'node:https';
import { connect } from 'node:net';
import type { AddressInfo, Server } from 'node:net';
import type { Duplex } from 'node:stream';
import { atEnd } from '../fixture.ts';

export interface HttpOrigin {
  readonly port: number;
  /** Method and path of each accepted request. */
  readonly accepted: readonly string[];
  /** The same of rejected requests. */
  readonly refused: readonly string[];
  /** The same of redirected requests. */
  readonly redirected: readonly string[];
}

export interface HttpOriginOptions {
  readonly tls?: ServerOptions;
  /** Whether a request is accepted; by default, with the right user and password. */
  readonly admits?: (request: IncomingMessage) => boolean;
  /** Challenge for rejected requests; `Basic` when absent. */
  readonly challenge?: string;
  /** Redirect target of a path, also for rejected requests. */
  readonly redirects?: (path: string) => string | undefined;
  /** Answers an accepted request itself and returns true, or returns false. */
  readonly answers?: (request: IncomingMessage, response: ServerResponse) => boolean;
}

/** Serves the bare repositories of a folder at `http(s)://127.0.0.1:<port>/<name>` until the test's end. */
export async function serveHttpOrigin(
  folder: string,
  user: string,
  password: string,
  options: HttpOriginOptions = {},
): Promise<HttpOrigin> {
  const accepted: string[] = [];
  const refused: string[] = [];
  const redirected: string[] = [];
  const wanted = `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`;
  const admits = options.admits ?? (({ headers }) => headers.authorization === wanted);
  const listener: RequestListener = (request, response) => {
    const place = options.redirects?.(request.url ?? '');
    const line = `${request.method} ${request.url}`;
    if (place !== undefined) {
      redirected.push(line);
      return void response.writeHead(301, { location: place }).end();
    }
    if (!admits(request)) {
      refused.push(line);
      response.writeHead(401, { 'www-authenticate': options.challenge ?? 'Basic realm="git"' }).end();
      return;
    }
    accepted.push(line);
    if (options.answers?.(request, response) !== true) runBackend(folder, user, request, response);
  };
  const server = options.tls === undefined ? createServer(listener) : createSecureServer(options.tls, listener);
  return { port: await listenUntilEnd(server), accepted, refused, redirected };
}

export interface ForwardProxy {
  readonly port: number;
  /** Requests with the right password. */
  readonly used: readonly string[];
}

export interface ForwardProxyOptions {
  /** Port of this host to which every request is sent. */
  readonly to?: number;
  /** Answers requests without TLS, which are rejected when it is absent. */
  readonly plain?: RequestListener;
}

/** A proxy like those of companies, which requires a user and a password. */
export async function serveForwardProxy(
  user: string,
  password: string,
  { to, plain }: ForwardProxyOptions = {},
): Promise<ForwardProxy> {
  const used: string[] = [];
  const sockets = new Set<Duplex>();
  const wanted = `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`;
  const server = createServer(plain ?? ((_, response) => response.writeHead(405).end()));
  server.on('connect', (request, socket, head) => {
    sockets.add(socket);
    socket.on('error', () => socket.destroy());
    if (request.headers['proxy-authorization'] !== wanted) {
      const lines = ['proxy-authenticate: Basic realm="proxy"', 'content-length: 0', 'connection: close'];
      return void socket.end(`HTTP/1.1 407 Proxy Authentication Required\r\n${lines.join('\r\n')}\r\n\r\n`);
    }
    used.push(request.url ?? '');
    const [host = '', port] = (request.url ?? '').split(':');
    const far = connect(to ?? Number(port), to === undefined ? host : '127.0.0.1', () => {
      socket.write('HTTP/1.1 200 OK\r\n\r\n');
      far.write(head);
      socket.pipe(far).pipe(socket);
    });
    far.on('error', () => socket.destroy());
    socket.on('close', () => far.destroy());
  });
  const port = await listenUntilEnd(server);
  // The server no longer tracks a connection that it has passed on.
  atEnd(async () => sockets.forEach((socket) => socket.destroy()));
  return { port, used };
}

async function listenUntilEnd(server: Server & { closeAllConnections(): void }): Promise<number> {
  const { promise, resolve } = Promise.withResolvers<void>();
  server.listen(0, '127.0.0.1', resolve);
  await promise;
  atEnd(async () => {
    const closed = Promise.withResolvers<void>();
    server.close(() => closed.resolve());
    server.closeAllConnections();
    await closed.promise;
  });
  return (server.address() as AddressInfo).port;
}

function runBackend(folder: string, user: string, request: IncomingMessage, response: ServerResponse): void {
  const url = new URL(request.url ?? '/', 'http://origin');
  const child = spawn('git', ['http-backend'], {
    env: {
      PATH: process.env['PATH'],
      GIT_PROJECT_ROOT: folder,
      GIT_HTTP_EXPORT_ALL: '1',
      REQUEST_METHOD: request.method,
      PATH_INFO: decodeURIComponent(url.pathname),
      QUERY_STRING: url.search.slice(1),
      CONTENT_TYPE: request.headers['content-type'] ?? '',
      HTTP_CONTENT_ENCODING: request.headers['content-encoding'] ?? '',
      GIT_PROTOCOL: request.headers['git-protocol']?.toString() ?? '',
      REMOTE_USER: user,
      REMOTE_ADDR: '127.0.0.1',
    },
  });
  request.pipe(child.stdin);
  child.stdin.on('error', () => undefined);
  let head = Buffer.alloc(0);
  child.stdout.on('data', (chunk: Buffer) => {
    if (response.headersSent) return void response.write(chunk);
    head = Buffer.concat([head, chunk]);
    const end = head.indexOf('\r\n\r\n');
    if (end < 0) return;
    const lines = head.toString('latin1', 0, end).split('\r\n');
    const headers = Object.fromEntries(lines.map((line) => line.split(': ', 2) as [string, string]));
    response.writeHead(Number.parseInt(headers['Status'] ?? '200', 10), headers);
    response.write(head.subarray(end + 4));
  });
  child.once('close', () => response.end());
}
