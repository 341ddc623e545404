// `/ports/<token>/…`: relays HTTP requests to a port of an agent's machine, streaming in both directions.
import { request as httpRequest } from 'node:http';
import type { ServerResponse } from 'node:http';
import { pipeline } from 'node:stream';
import type { Duplex } from 'node:stream';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { ServerParts } from '../parts.ts';
import type { TokenWatch } from '../token-watch.ts';
import { isPublic } from '../public-url.ts';
import { answerOf, badHeader, unwritable } from './machine-answer.ts';
import { openPort } from './open-port.ts';
import type { SharedPort } from './port-token.ts';
import { corsHeaders, headersFromMachine, headersToMachine } from './relayed-headers.ts';

interface PortRoute {
  readonly Params: { readonly token: string };
}

/** Adds the routes. `addUpgrades` relays WebSockets. */
export function addPorts(app: FastifyInstance, parts: ServerParts, watch: TokenWatch): void {
  app.register(async (scope) => {
    const config = { openTo: 'everyone', ownArrival: true } as const;
    scope.all<PortRoute>('/ports/:token', { config }, async (request, reply) => {
      const [path = '', query] = request.url.split('?', 2);
      // Relative links of the page need the trailing slash.
      return await reply.redirect(`${path}/${query === undefined ? '' : `?${query}`}`, 308);
    });
    const onRequest = async (request: FastifyRequest<PortRoute>, reply: FastifyReply): Promise<FastifyReply> => {
      for (const name of Object.keys(reply.getHeaders())) reply.removeHeader(name);
      if (isPreflight(request)) return await reply.code(204).headers(preflightHeaders(request)).send();
      return await relay(parts, watch, request, reply);
    };
    // Answered in a hook, before fastify reads the body and its type.
    scope.all<PortRoute>('/ports/:token/*', { config, onRequest }, () => {
      throw new TypeError('the hook has answered');
    });
    await Promise.resolve();
  });
}

async function relay(
  parts: ServerParts,
  watch: TokenWatch,
  request: FastifyRequest<PortRoute>,
  reply: FastifyReply,
): Promise<FastifyReply> {
  // Not decoded: the rest of the URL is passed on unchanged.
  const prefix = /^\/ports\/[^/]+/.exec(request.url)?.[0] ?? '';
  const opened = await openPort(parts, request.params.token);
  if (opened.kind === 'refused') return await refuse(reply, opened);
  const { shared, socket } = opened;
  const { port } = shared;
  // The browser may have disconnected meanwhile; then its `close` event is over.
  if (reply.raw.destroyed) {
    socket.destroy();
    return reply.hijack();
  }
  // Registered before the request, which may throw.
  reply.raw.once('close', () => void socket.destroy());
  const outgoing = httpRequest({
    method: request.method,
    path: request.url.slice(prefix.length),
    headers: {
      ...headersToMachine(request.headers, port, prefix, isPublic(parts)),
      ...framing(request),
      connection: 'close',
    },
    setDefaultHeaders: false,
    createConnection: () => socket,
  });
  reply.raw.once('close', () => outgoing.destroy());
  // Not a pipeline: it would break the browser's connection when the server answers before it has read the body.
  request.raw.pipe(outgoing);
  outgoing.once('close', () => request.raw.resume());
  const answered = await answerOf(outgoing, port, parts.timing.portAnswer);
  if (answered.kind === 'refused') return await refuse(reply, answered);
  const { answer, reason } = answered;
  const headers = headersFromMachine(answer.headers, request.headers, port, prefix);
  const bad = unwritable(headers);
  if (bad !== undefined) {
    answer.destroy();
    return await refuse(reply, badHeader(port, bad));
  }
  reply.hijack();
  try {
    reply.raw.writeHead(answer.statusCode ?? 502, reason, headers);
    reply.raw.flushHeaders();
  } catch (error) {
    // Fastify no longer sends an answer.
    reply.raw.destroy();
    throw error;
  }
  endWith(watch, shared, reply.raw);
  pipeline(answer, reply.raw, () => undefined);
  return reply;
}

/** Closes the browser's connection when the token that requested the URL ends. */
export function endWith(watch: TokenWatch, { asker }: SharedPort, browser: Duplex | ServerResponse): void {
  if (browser.destroyed) return;
  const over = new AbortController();
  browser.once('close', () => over.abort());
  watch.watchNamed(asker, over.signal).addEventListener('abort', () => void browser.destroy());
}

async function refuse(
  reply: FastifyReply,
  { reason, status }: { readonly status: number; readonly reason: string },
): Promise<FastifyReply> {
  return await reply.code(status).headers(REFUSAL_HEADERS).send(`${reason}\n`);
}

/** The header for chunked bodies, which Node has decoded. Other bodies have their own length header. */
function framing({ headers }: FastifyRequest): Record<string, string> {
  return headers['transfer-encoding'] === undefined ? {} : { 'transfer-encoding': 'chunked' };
}

/** Headers of a refusal: plain text, not cached. */
export const REFUSAL_HEADERS = {
  'content-type': 'text/plain; charset=utf-8',
  'cache-control': 'no-store',
  'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
} as const;

/** A preflight for the sandboxed page. The server on the machine does not know about other origins. */
function isPreflight({ method, headers }: FastifyRequest): boolean {
  return method === 'OPTIONS' && headers.origin === 'null' && headers['access-control-request-method'] !== undefined;
}

function preflightHeaders({ headers }: FastifyRequest): Record<string, string> {
  return {
    ...(corsHeaders(headers) as Record<string, string>),
    'access-control-allow-methods': headers['access-control-request-method'] ?? '',
    'access-control-allow-headers': headers['access-control-request-headers'] ?? '',
    'access-control-max-age': '600',
  };
}
