// The runner's HTTP server on loopback, for programs that have its token. It rejects requests of pages in a browser.
import { createHash, timingSafeEqual } from 'node:crypto';
import { createServer } from 'node:http';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { ERRORS, MurmurError } from '../../contract/wire/errors.ts';
import { PROOF_PATH, runnerProof } from '../identity/proof.ts';
import { NewestConnections } from '../identity/newest-connections.ts';

/** A route returns its answer. A streaming route writes its own answer and returns nothing. */
export type Route = (call: {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly body: Readonly<Record<string, unknown>>;
}) => Promise<unknown>;

export interface HttpOptions {
  readonly token: string;
  /** By method and path, such as `POST /turn`. */
  readonly routes: Readonly<Record<string, Route>>;
}

/**
 * Connections that have not sent the token. Callers send it within milliseconds, after the proof. To displace one, a
 * process has to open this many connections within that time.
 */
const UNAUTHENTICATED_LIMIT = 128;

export class HttpServer {
  readonly #server: Server;

  constructor({ token, routes }: HttpOptions) {
    const unauthenticated = new NewestConnections(UNAUTHENTICATED_LIMIT);
    this.#server = createServer((request, response) => {
      // A caller that disconnects is not an error of the runner.
      request.on('error', () => undefined);
      response.on('error', () => undefined);
      const name = `${request.method ?? ''} ${(request.url ?? '').replace(/\?.*$/s, '')}`;
      void answer(name, Object.hasOwn(routes, name) ? routes[name] : undefined, request, response);
    });
    const answer = async (
      name: string,
      route: Route | undefined,
      request: IncomingMessage,
      response: ServerResponse,
    ): Promise<void> => {
      try {
        refusePages(request);
        if (name === `GET ${PROOF_PATH}`) return this.#prove(request, response, token);
        checkToken(request, token);
        unauthenticated.release(request.socket);
        if (route === undefined) throw new MurmurError('NOT_FOUND', `the runner has no ${name}`, { hint: '' });
        const result = await route({ request, response, body: await readBody(request) });
        if (result !== undefined) sendJson(response, 200, result);
      } catch (error) {
        sendError(response, error);
      }
    };
    this.#server.on('connection', (socket: Socket) => unauthenticated.add(socket));
    // No limit for answers, because `open` clones and `stop` waits; callers limit them. Requests arrive at once on
    // loopback.
    this.#server.requestTimeout = 60_000;
    this.#server.timeout = 0;
  }

  /** Sends the proof. Callers send their token only after it. */
  #prove(request: IncomingMessage, response: ServerResponse, token: string): void {
    const { port } = this.#server.address() as AddressInfo;
    const proof = runnerProof({ port, token }, /\?nonce=(.*)$/.exec(request.url ?? '')?.[1] ?? '');
    if (proof === undefined) throw new MurmurError('INVALID_ARGUMENT', 'the nonce is invalid', { hint: '' });
    response.end(proof);
  }

  /** Listens on a free port of 127.0.0.1 and returns it. */
  async listen(): Promise<number> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    this.#server.once('error', reject);
    this.#server.listen(0, '127.0.0.1', resolve);
    await promise;
    // Accepting can fail when file descriptors run out. Only that connection is lost.
    this.#server.on('error', () => undefined);
    return (this.#server.address() as AddressInfo).port;
  }

  /** Stops listening. Resolves when every answer was sent, or after 0.5 s. */
  async close(): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#server.close(() => resolve());
    this.#server.closeIdleConnections();
    // The last answer is a few bytes on loopback; a reader that does not take it is not waited for.
    const force = setTimeout(() => this.#server.closeAllConnections(), 500);
    await promise;
    clearTimeout(force);
  }
}

/** Callers send the address that they dial, or Node's default, `localhost`. */
const HOST = /^(?:127\.0\.0\.1|localhost)(?::\d{1,5})?$/;

/**
 * A web page can point its domain to this address and send simple requests without a preflight. A browser then sends
 * that domain as `Host`, the page's `Origin`, or `Sec-Fetch-Site`. Programs send neither of the last two.
 */
function refusePages({ headers }: IncomingMessage): void {
  const { host = '', origin } = headers;
  if (!HOST.test(host)) {
    throw new MurmurError('PERMISSION_DENIED', `the runner does not answer to the host ${JSON.stringify(host)}`, {
      hint: '',
    });
  }
  if (origin !== undefined || headers['sec-fetch-site'] !== undefined) {
    throw new MurmurError('PERMISSION_DENIED', 'the runner does not answer to pages in a browser', { hint: '' });
  }
}

/** Compares digests in constant time, so that neither timing nor length reveals the token. */
function checkToken(request: IncomingMessage, token: string): void {
  const given = /^Bearer (.+)$/.exec(request.headers.authorization ?? '')?.[1] ?? '';
  const digest = (text: string): Buffer => createHash('sha256').update(text).digest();
  if (token === '' || !timingSafeEqual(digest(given), digest(token))) {
    throw new MurmurError('UNAUTHENTICATED', 'the token of the runner is missing or wrong', { hint: '' });
  }
}

/**
 * A turn contains all waiting messages: at most `queued_mb`, 80 MiB by default, and up to six times as much when
 * escaped. Only the worker, which has the token, can send a body. The limit stops a defect of Murmur before the text
 * exceeds the length of a string.
 */
const BODY_LIMIT = 500 * 1024 * 1024;

/** The body as an object. Throws INVALID_ARGUMENT for anything else, RESOURCE_EXHAUSTED past the limit. */
async function readBody(request: IncomingMessage): Promise<Readonly<Record<string, unknown>>> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  checkSize(Number(request.headers['content-length'] ?? 0));
  for await (const chunk of request as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    checkSize(bytes);
    chunks.push(chunk);
  }
  if (bytes === 0) return {};
  const body = parse(Buffer.concat(chunks).toString('utf8'));
  if (typeof body !== 'object' || body === null || Array.isArray(body)) {
    throw new MurmurError('INVALID_ARGUMENT', 'the request is not a JSON object');
  }
  return body as Readonly<Record<string, unknown>>;
}

/** Sends a JSON answer. No-op when the caller has disconnected. */
function sendJson(response: ServerResponse, status: number, body: unknown): void {
  if (response.headersSent || response.destroyed) return;
  response.writeHead(status, { 'content-type': 'application/json' });
  response.end(JSON.stringify(body));
}

/** Sends a MurmurError; other errors become INTERNAL. */
function sendError(response: ServerResponse, error: unknown): void {
  const known =
    error instanceof MurmurError
      ? error
      : new MurmurError('INTERNAL', error instanceof Error ? error.message : String(error), { cause: error });
  if (known.code === 'INTERNAL') console.error(error);
  sendJson(response, ERRORS[known.code].http, { error: known.toBody() });
}

function checkSize(bytes: number): void {
  if (bytes <= BODY_LIMIT) return;
  throw new MurmurError('RESOURCE_EXHAUSTED', `the request has more than ${BODY_LIMIT} bytes`);
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new MurmurError('INVALID_ARGUMENT', 'the request is not JSON', { cause: error });
  }
}
