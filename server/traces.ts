// Records a span and a duration for each call of an operation or of the MCP server.
import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { CallSpan, Telemetry } from '../drivers/telemetry/telemetry.ts';
import { MCP_PATH } from './mcp.ts';

/** Adds the hooks. Omits pages, shared ports and health, which are not calls of operations. */
export function addTraces(app: FastifyInstance, telemetry: Telemetry): void {
  const spans = new WeakMap<FastifyRequest, CallSpan>();
  app.addHook('onRequest', async (request) => {
    const { headers, method, routeOptions } = request;
    const route = routeOptions.url ?? '';
    if (route.startsWith('/v1/') || route === MCP_PATH)
      spans.set(request, telemetry.receive({ headers, method, route }));
    await Promise.resolve();
  });
  // After the body was read, because its parser calls back outside of the span.
  app.addHook('preHandler', (request, _reply, done) => {
    const span = spans.get(request);
    if (span === undefined) done();
    else span.within(done);
  });
  app.addHook('onResponse', async (request, reply) => {
    spans.get(request)?.end(reply.statusCode);
    await Promise.resolve();
  });
}
