// The MCP tools over streamable HTTP, `POST /mcp`. Each request is its own session. The guard, tokens, limits and
// handlers are those of the operations; handlers are called directly, not over HTTP.
import { randomUUID } from 'node:crypto';
import { WebStandardStreamableHTTPServerTransport } from '@modelcontextprotocol/sdk/server/webStandardStreamableHttp.js';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { describeTools } from '../contract/mcp.ts';
import { operations } from '../contract/operations/index.ts';
import type { OperationName } from '../contract/operations/index.ts';
import type { Operation } from '../contract/operation.ts';
import type { Session } from '../mcp/session/session.ts';
import { createSession } from '../mcp/session/session.ts';
import { answerTo, answerUnlessStopped, openCall } from './call.ts';
import { bearerOf } from './caller.ts';
import { murmurErrorOf } from './errors.ts';
import type { Call } from './handler.ts';
import { parseInput } from './input.ts';
import { fileCallOf } from './machine-files/tool-calls.ts';
import type { ServerParts } from './parts.ts';
import { logFailure } from './routes.ts';

export const MCP_PATH = '/mcp';

/** Adds the endpoint; the signal aborts when the server stops. */
export function addMcp(app: FastifyInstance, parts: ServerParts, stopping: AbortSignal): void {
  const tools = describeTools();
  const sessionOf = (request: FastifyRequest): Session =>
    createSession({
      version: parts.settings.version,
      tools,
      heartbeatMs: parts.timing.heartbeat,
      call: async (name, input, options) => {
        const operation: Operation = operations[name as OperationName];
        // The protocol has no idempotency key, so a repeated request is a new call.
        const id = randomUUID();
        const { token, revoked } = bearerOf(request);
        const signal = AbortSignal.any([stopping, options.signal, revoked]);
        const facts = { id, token, host: request.headers.host ?? '', signal };
        const open = (each: Operation): Call => ({ ...openCall(each, facts), progress: options.onProgress });
        const fileCall = fileCallOf(name, input);
        if (fileCall !== undefined) {
          return await answerUnlessStopped(operation, { call: facts, stopping, revoked }, () => fileCall(parts, open));
        }
        const call = open(operation);
        return await answerTo(parts, operation, parseInput(operation, input), { call, stopping, revoked });
      },
      errorOf: (error) => {
        const known = murmurErrorOf(error);
        logFailure(request, error, known.code);
        return known;
      },
    });
  app.post(MCP_PATH, async (request, reply) => {
    const gone = new AbortController();
    reply.raw.once('close', () => gone.abort());
    return await answer(request, reply, sessionOf(request), gone.signal);
  });
  for (const method of ['GET', 'DELETE'] as const) {
    // There are no sessions to listen to or to end. This status tells clients so.
    app.route({
      method,
      url: MCP_PATH,
      handler: async (_request, reply) => reply.code(405).header('allow', 'POST').send(),
    });
  }
}

async function answer(
  request: FastifyRequest,
  reply: FastifyReply,
  { server }: Session,
  gone: AbortSignal,
): Promise<unknown> {
  const transport = new WebStandardStreamableHTTPServerTransport();
  await server.connect(transport);
  // Ends calls in progress: the client can no longer get their answers.
  gone.addEventListener('abort', () => void server.close(), { once: true });
  const { headers, method, url } = request;
  const pairs = Object.entries(headers).flatMap(([name, value]) => (typeof value === 'string' ? [[name, value]] : []));
  // The transport reads method and headers. Fastify has already read the body, within the limit.
  const asked = new Request(new URL(url, 'http://localhost'), { method, headers: pairs as [string, string][] });
  return await reply.send(await transport.handleRequest(asked, { parsedBody: request.body }));
}
