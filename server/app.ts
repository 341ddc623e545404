// The API server as a fastify app: guard, token, routes, errors, log, stop.
import { randomUUID } from 'node:crypto';
import fastify, { LogController } from 'fastify';
import type { FastifyBaseLogger, FastifyError, FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { operations } from '../contract/operations/index.ts';
import { quoteValue } from '../contract/schema/quote.ts';
import { ERRORS, MurmurError } from '../contract/wire/errors.ts';
import { nearestName } from '../contract/wire/nearest.ts';
import { addIdentity } from './caller.ts';
import { errorAnswer, murmurErrorOf } from './errors.ts';
import { addArrivalLimit } from './arrival.ts';
import { addGuard } from './guard.ts';
import { addHealth } from './health.ts';
import { addHeldBodies } from './held-bodies.ts';
import { addMcp, MCP_PATH } from './mcp.ts';
import type { ServerParts } from './parts.ts';
import { addPages } from './page/routes.ts';
import { addPorts } from './ports/relay.ts';
import { addUpgrades, isPortUpgrade } from './ports/upgrades.ts';
import { addRoutes, logFailure } from './routes.ts';
import { addTraces } from './traces.ts';
import { TokenWatch } from './token-watch.ts';
import { addUploads } from './uploads/routes.ts';

/** Enough for a prompt of several megabytes. Larger texts belong in the repository. */
const BODY_LIMIT = 8 * 1024 * 1024;

/** Characters of a path segment: a port's token consists of a machine, the name of a token and a signature. */
const SEGMENT_LIMIT = 300;

/**
 * Creates the server; `listen` starts it. `close` ends streams so that clients reconnect, and resolves when every call
 * has ended.
 */
export function createServer(parts: ServerParts): FastifyInstance {
  const stopping = new AbortController();
  const watch = new TokenWatch(parts.tokens, parts.timing.tokenCheck);
  // Annotated with fastify's type, because the types of hooks and handlers depend on it.
  const logger: FastifyBaseLogger = parts.log;
  const app = fastify({
    bodyLimit: BODY_LIMIT,
    // Fastify's request lines contain headers; those of `addLog` do not.
    logController: new LogController({ disableRequestLogging: true, requestIdLogLabel: 'request_id' }),
    genReqId: () => randomUUID(),
    routerOptions: { maxParamLength: SEGMENT_LIMIT },
    loggerInstance: logger,
    // addArrivalLimit limits the arrival of whole requests, per route.
    requestTimeout: 0,
    http: {
      requestTimeout: 0,
      headersTimeout: parts.timing.requestArrival,
      shouldUpgradeCallback: isPortUpgrade,
      // Interval of Node's check for late request heads; the default is 30 s.
      connectionsCheckingInterval: Math.min(1_000, parts.timing.requestArrival),
    },
  });
  // A foreign page may send text/plain without a preflight.
  app.removeContentTypeParser('text/plain');
  addErrors(app);
  addArrivalLimit(app, parts.timing.requestArrival);
  addGuard(app, parts.settings.hosts);
  addLog(app);
  if (parts.telemetry !== undefined) addTraces(app, parts.telemetry);
  addNotFound(app);
  addHealth(app, parts);
  addUploads(app, parts, watch);
  addPorts(app, parts, watch);
  addPages(app, parts, watch, stopping.signal);
  addUpgrades(app, parts, watch, stopping.signal);
  // A separate scope, because health needs no token.
  app.register(async (api) => {
    addIdentity(api, parts.tokens, watch);
    addHeldBodies(api, BODY_LIMIT);
    addRoutes(api, parts, stopping.signal);
    addMcp(api, parts, stopping.signal);
    await Promise.resolve();
  });
  app.addHook('preClose', async () => {
    stopping.abort();
    // A caller that neither reads nor disconnects must not delay the end.
    setTimeout(() => app.server.closeAllConnections(), parts.timing.stop).unref();
    await Promise.resolve();
  });
  return app;
}

function addErrors(app: FastifyInstance): void {
  app.setErrorHandler((error, request, reply) => {
    const known = isFastifyError(error) ? refusalOf(error, request) : murmurErrorOf(error);
    logFailure(request, error, known.code);
    return answerError(reply, request, known, statusOf(error, known));
  });
}

/** Answers unknown routes before the body is read. They need no token. */
function addNotFound(app: FastifyInstance): void {
  app.addHook('onRequest', async (request) => {
    if (request.is404) throw notFound(request);
    await Promise.resolve();
  });
}

function notFound({ method, url }: FastifyRequest): MurmurError {
  const name = url.replace(/^\/v1\//, '').replace(/[?#].*$/, '');
  const nearest = nearestName(name, Object.keys(operations));
  return new MurmurError('NOT_FOUND', `no operation ${quoteValue(`${method} ${url}`)}`, {
    hint: nearest === undefined ? 'operations are POST /v1/<operation>' : `did you mean POST /v1/${nearest}?`,
  });
}

function answerError(reply: FastifyReply, request: FastifyRequest, error: MurmurError, status: number): FastifyReply {
  if (error.code === 'UNAUTHENTICATED') void reply.header('www-authenticate', 'Bearer');
  const waitMs = error.details?.['retry_after_ms'];
  if (typeof waitMs === 'number') void reply.header('retry-after', String(Math.ceil(waitMs / 1_000)));
  (request as Logged).failure = error.code;
  return reply.code(status).send(errorAnswer(error, request.id));
}

function isFastifyError(error: unknown): error is FastifyError {
  return error instanceof Error && 'statusCode' in error && typeof error.statusCode === 'number';
}

/** Translates fastify's own errors, which are about the body. */
function refusalOf(error: FastifyError, request: FastifyRequest): MurmurError {
  switch (error.statusCode) {
    case 413: {
      const limit = request.routeOptions.bodyLimit ?? BODY_LIMIT;
      return new MurmurError('INVALID_ARGUMENT', `the request is larger than ${String(limit)} bytes`, {
        hint: 'put large texts into the repository and name the file',
        details: { limit_bytes: limit },
      });
    }
    case 415:
      return new MurmurError(
        'INVALID_ARGUMENT',
        `content type ${quoteValue(request.headers['content-type'] ?? '')} is not accepted: send application/json`,
      );
    default:
      return (error.statusCode ?? 500) < 500
        ? new MurmurError('INVALID_ARGUMENT', 'the body is not valid JSON', { cause: error })
        : murmurErrorOf(error);
  }
}

/** The status of the error table, except for two more specific ones about bodies. */
function statusOf(error: unknown, known: MurmurError): number {
  const status = isFastifyError(error) ? error.statusCode : undefined;
  return status === 413 || status === 415 ? status : ERRORS[known.code].http;
}

interface Logged extends FastifyRequest {
  failure?: string;
}

/** Logs one line per request, without body, headers and messages: they may contain prompts, tokens and secrets. */
function addLog(app: FastifyInstance): void {
  app.addHook('onSend', async (request, reply) => {
    void reply.header('x-request-id', request.id);
    await Promise.resolve();
  });
  app.addHook('onResponse', async (request, reply) => {
    const { failure } = request as Logged;
    // The route's pattern, not the path: an unmatched path is the caller's text.
    const path = request.routeOptions.url ?? 'unknown';
    const fact = {
      method: request.method,
      path,
      status: reply.statusCode,
      ms: Math.round(reply.elapsedTime),
      ...(failure === undefined ? {} : { code: failure }),
    };
    // The supervisor calls health many times a second while the stack starts.
    if (path.startsWith('/v1/') || path === MCP_PATH) request.log.info(fact, 'request');
    else request.log.debug(fact, 'request');
    await Promise.resolve();
  });
}
