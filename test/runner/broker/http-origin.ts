// A git server over HTTP that wants a user and a password: `git http-backend` behind basic authentication.
import { spawn } from 'node:child_process';
import { createServer } from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { atEnd } from '../fixture.ts';

export interface HttpOrigin {
  readonly port: number;
  /** Method and path of each request that came with the right password. */
  readonly accepted: readonly string[];
}

/**
 * Serves the bare repositories of a folder at `http://127.0.0.1:<port>/<name>` until the test's end.
 * @param moved beginnings of paths, and what a redirect has in their place
 */
export async function serveHttpOrigin(
  folder: string,
  user: string,
  password: string,
  moved: Readonly<Record<string, string>> = {},
): Promise<HttpOrigin> {
  const accepted: string[] = [];
  const wanted = `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`;
  const server = createServer((request, response) => {
    if (request.headers.authorization !== wanted) {
      response.writeHead(401, { 'www-authenticate': 'Basic realm="git"' }).end();
      return;
    }
    accepted.push(`${request.method} ${request.url}`);
    const from = Object.keys(moved).find((each) => request.url?.startsWith(`${each}/`));
    if (from !== undefined) {
      response.writeHead(301, { location: `${moved[from]}${request.url?.slice(from.length)}` }).end();
      return;
    }
    runBackend(folder, user, request, response);
  });
  const { promise, resolve } = Promise.withResolvers<void>();
  server.listen(0, '127.0.0.1', resolve);
  await promise;
  atEnd(async () => {
    server.closeAllConnections();
    const closed = Promise.withResolvers<void>();
    server.close(() => closed.resolve());
    await closed.promise;
  });
  return { port: (server.address() as AddressInfo).port, accepted };
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
