// `/ports/<token>/…`: HTTP requests to a port of an agent's machine, streamed both ways.
import { request as httpRequest } from 'node:http';
import type { IncomingMessage } from 'node:http';
import { pipeline } from 'node:stream';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { ServerParts } from '../parts.ts';
import { openPort } from './open-port.ts';
import { corsHeaders, headersFromMachine, headersToMachine } from './relayed-headers.ts';

interface PortRoute {
  readonly Params: { readonly token: string };
}

/** Adds the routes; WebSockets are `addUpgrades`'s. */
export function addPorts(app: FastifyInstance, parts: ServerParts): void {
  app.register(async (scope) => {
    const config = { openTo: 'everyone', ownArrival: true } as const;
    scope.all<PortRoute>('/ports/:token', { config }, async (request, reply) => {
      const [path = '', query] = request.url.split('?', 2);
      // Relative links of the page are relative to the folder.
      return await reply.redirect(`${path}/${query === undefined ? '' : `?${query}`}`, 308);
    });
    const onRequest = async (request: FastifyRequest<PortRoute>, reply: FastifyReply): Promise<FastifyReply> => {
      for (const name of Object.keys(reply.getHeaders())) reply.removeHeader(name);
      if (isPreflight(request)) return await reply.code(204).headers(preflightHeaders(request)).send();
      return await relay(parts, request, reply);
    };
    // Answered before fastify looks at the body and its type, which are not for us.
    scope.all<PortRoute>('/ports/:token/*', { config, onRequest }, () => {
      throw new TypeError('the hook has answered');
    });
    await Promise.resolve();
  });
}

async function relay(
  parts: ServerParts,
  request: FastifyRequest<PortRoute>,
  reply: FastifyReply,
): Promise<FastifyReply> {
  // As it was written: what follows it is passed on so.
  const prefix = /^\/ports\/[^/]+/.exec(request.url)?.[0] ?? '';
  const opened = await openPort(parts, request.params.token);
  if (opened.kind === 'refused') {
    return await reply.code(opened.status).headers(REFUSAL_HEADERS).send(`${opened.reason}\n`);
  }
  const { socket, port } = opened;
  const outgoing = httpRequest({
    method: request.method,
    path: request.url.slice(prefix.length),
    headers: { ...headersToMachine(request.headers, port, prefix), ...framing(request), connection: 'close' },
    setDefaultHeaders: false,
    createConnection: () => socket,
  });
  reply.raw.once('close', () => outgoing.destroy());
  // Not a pipeline: it would break the browser's connection when the server answers before it has read all.
  request.raw.pipe(outgoing);
  outgoing.once('close', () => request.raw.resume());
  let answer: IncomingMessage;
  try {
    answer = await answerOf(outgoing);
  } catch {
    const reason = `What listens on port ${String(port)} gave no HTTP answer.`;
    return await reply.code(502).headers(REFUSAL_HEADERS).send(`${reason}\n`);
  }
  reply.hijack();
  const headers = headersFromMachine(answer.headers, request.headers, port, prefix);
  reply.raw.writeHead(answer.statusCode ?? 502, answer.statusMessage, headers);
  reply.raw.flushHeaders();
  pipeline(answer, reply.raw, () => undefined);
  return reply;
}

/** A body of a known length brings its header; node takes the chunks of another apart. */
function framing({ headers }: FastifyRequest): Record<string, string> {
  return headers['transfer-encoding'] === undefined ? {} : { 'transfer-encoding': 'chunked' };
}

/** Sent with a refusal: plain text that nothing keeps. */
export const REFUSAL_HEADERS = {
  'content-type': 'text/plain; charset=utf-8',
  'cache-control': 'no-store',
  'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
} as const;

function answerOf(outgoing: ReturnType<typeof httpRequest>): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    outgoing.once('response', resolve);
    outgoing.once('error', reject);
    outgoing.once('close', () => reject(new Error('the connection was closed')));
  });
}

/** A browser asks for the sandboxed page's sake, where the server on the machine knows of no other origin. */
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
