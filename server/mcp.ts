// The MCP tools over streamable HTTP: `POST /mcp`, each request a session of its own. Behind the same guard, token and
// limits as every operation, and with the same handlers: nothing is asked over HTTP a second time.
import { randomUUID } from 'node:crypto';
import { WebStandardStreamableHTTPServerTransport } from '@modelcontextprotocol/sdk/server/webStandardStreamableHttp.js';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { describeRemoteTools } from '../contract/mcp.ts';
import { operations } from '../contract/operations/index.ts';
import type { AnswerOperation } from '../contract/operations/index.ts';
import type { Operation } from '../contract/operation.ts';
import { MurmurError } from '../contract/wire/errors.ts';
import type { CallOptions, Session } from '../mcp/session/session.ts';
import { createSession } from '../mcp/session/session.ts';
import { openCall } from './call.ts';
import type { CallFacts } from './call.ts';
import { tokenOf } from './caller.ts';
import { murmurErrorOf } from './errors.ts';
import type { Call } from './handlers/handler.ts';
import { handlers } from './handlers/index.ts';
import { parseInput } from './input.ts';
import type { ServerParts } from './parts.ts';
import { logFailure } from './routes.ts';

export const MCP_PATH = '/mcp';

/** Adds the endpoint; the signal aborts when the server stops. */
export function addMcp(app: FastifyInstance, parts: ServerParts, stopping: AbortSignal): void {
  const tools = describeRemoteTools();
  const sessionOf = (request: FastifyRequest, signal: AbortSignal): Session =>
    createSession({
      version: parts.settings.version,
      tools,
      heartbeatMs: parts.timing.heartbeat,
      call: async (name, input, options) => {
        const facts = {
          // A client that asks again asks for another call: the protocol has no key for repetitions.
          id: randomUUID(),
          token: tokenOf(request),
          host: request.headers.host ?? '',
          signal: AbortSignal.any([signal, options.signal]),
        };
        return await callHandler(parts, name as AnswerOperation, input, { facts, options, stopping });
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
    return await answer(request, reply, sessionOf(request, AbortSignal.any([gone.signal, stopping])), gone.signal);
  });
  for (const method of ['GET', 'DELETE'] as const) {
    // There are no sessions to listen to or to end; clients take this status for that.
    app.route({
      method,
      url: MCP_PATH,
      handler: async (_request, reply) => reply.code(405).header('allow', 'POST').send(),
    });
  }
}

/** The caller's rights decide, as on every other way to the handler. */
async function callHandler(
  parts: ServerParts,
  name: AnswerOperation,
  input: Readonly<Record<string, unknown>>,
  {
    facts,
    options,
    stopping,
  }: { readonly facts: CallFacts; readonly options: CallOptions; readonly stopping: AbortSignal },
): Promise<unknown> {
  const operation: Operation = operations[name];
  // Input and answer belong together by the registry, which a name that is only known at run time cannot carry.
  const handler = handlers[name] as (parts: ServerParts, input: unknown, call: Call) => Promise<unknown>;
  const call = openCall(operation, facts);
  const answer = await handler(parts, parseInput(operation, input), { ...call, progress: options.onProgress });
  // A handler that waits answers with what it knows when it is told to stop: that is not what was waited for.
  if (stopping.aborted && operation.stream === 'result') {
    throw new MurmurError('UNAVAILABLE', 'the API server is stopping', { hint: 'call the tool again in a moment' });
  }
  return answer;
}

async function answer(
  request: FastifyRequest,
  reply: FastifyReply,
  { server }: Session,
  gone: AbortSignal,
): Promise<unknown> {
  const transport = new WebStandardStreamableHTTPServerTransport();
  await server.connect(transport);
  // Ends calls that are under way: there is no way back to their answers.
  gone.addEventListener('abort', () => void server.close(), { once: true });
  const { headers, method, url } = request;
  const pairs = Object.entries(headers).flatMap(([name, value]) => (typeof value === 'string' ? [[name, value]] : []));
  // The transport looks at method and headers; the body has been read, within our limit.
  const asked = new Request(new URL(url, 'http://localhost'), { method, headers: pairs as [string, string][] });
  return await reply.send(await transport.handleRequest(asked, { parsedBody: request.body }));
}
