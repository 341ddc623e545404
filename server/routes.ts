// One route per operation, derived from the registry.
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { operations } from '../contract/operations/index.ts';
import type { OperationName } from '../contract/operations/index.ts';
import type { Operation } from '../contract/operation.ts';
import { answerTo, handlerOf, openCall } from './call.ts';
import { bearerOf, callId } from './caller.ts';
import { errorAnswer, murmurErrorOf } from './errors.ts';
import { EventStream } from './event-stream.ts';
import type { Call } from './handler.ts';
import { parseInput } from './input.ts';
import type { ServerParts } from './parts.ts';
import { unlessRevoked } from './token-watch.ts';

/** Adds `POST /v1/<operation>` for each operation. The signal aborts when the server stops. */
export function addRoutes(app: FastifyInstance, parts: ServerParts, stopping: AbortSignal): void {
  for (const name of Object.keys(operations) as OperationName[]) {
    const operation: Operation = operations[name];
    app.post(`/v1/${name}`, async (request, reply) => {
      const input = parseInput(operation, bodyOf(operation, request));
      const exchange = openExchange(operation, request, reply, stopping);
      if (operation.stream === 'events') return await answerEvents(parts, operation, input, exchange);
      return await answerOnce(parts, operation, input, exchange);
    });
  }
}

/** One request and its call. */
interface Exchange {
  readonly request: FastifyRequest;
  readonly reply: FastifyReply;
  readonly call: Omit<Call, 'progress'>;
  readonly stopping: AbortSignal;
  readonly revoked: AbortSignal;
}

function openExchange(
  operation: Operation,
  request: FastifyRequest,
  reply: FastifyReply,
  stopping: AbortSignal,
): Exchange {
  const gone = new AbortController();
  // After a complete answer there is nothing to abort, and creating an `AbortError` costs as much as reading a file.
  reply.raw.once('close', () => {
    if (!reply.raw.writableFinished) gone.abort();
  });
  const { token, revoked } = bearerOf(request);
  const signal = AbortSignal.any([gone.signal, stopping, revoked]);
  const host = request.headers.host ?? '';
  const call = openCall(operation, { id: callId(request), token, host, signal });
  return { request, reply, stopping, revoked, call };
}

/** The body. A stream resumes after the last event that the caller saw, which its client sends as a header. */
function bodyOf(operation: Operation, request: FastifyRequest): unknown {
  const last = request.headers['last-event-id'];
  if (operation.stream !== 'events' || last === undefined) return request.body;
  return { ...(request.body as object), from: last };
}

/** A plain answer if it is ready soon, else a stream of progress that ends with the answer. */
async function answerOnce(
  parts: ServerParts,
  operation: Operation,
  input: unknown,
  exchange: Exchange,
): Promise<unknown> {
  const { request, reply, call, stopping, revoked } = exchange;
  const progress = takesEvents(request) ? new ProgressStream(reply, parts.timing, call.signal) : undefined;
  try {
    const whole = { ...call, progress: (event: object) => progress?.tell(event) };
    const answer = await answerTo(parts, operation, input, { call: whole, stopping, revoked });
    const stream = progress?.end();
    if (stream === undefined) return plainAnswer(reply, answer);
    await stream.send({ name: 'result', data: answer });
    stream.close();
  } catch (error) {
    const stream = progress?.end();
    if (stream === undefined) throw error;
    await sendError(stream, exchange, error);
  }
  return reply;
}

/** Every answer is JSON, but fastify would send a string unchanged. */
function plainAnswer(reply: FastifyReply, answer: unknown): unknown {
  return typeof answer === 'string' ? reply.type('application/json').send(JSON.stringify(answer)) : answer;
}

async function answerEvents(
  parts: ServerParts,
  operation: Operation,
  input: unknown,
  exchange: Exchange,
): Promise<unknown> {
  const { reply, call, stopping, revoked } = exchange;
  const handled = handlerOf(operation)(parts, input, { ...call, progress: () => undefined });
  const events = (await unlessRevoked(revoked, handled)) as AsyncIterable<{ id: string }>;
  const stream = new EventStream(reply, parts.timing.heartbeat, call.signal);
  try {
    for await (const event of events) {
      revoked.throwIfAborted();
      await stream.send({ id: event.id, data: event });
    }
    revoked.throwIfAborted();
    await stream.send({ name: stopping.aborted ? 'reconnect' : 'end', data: {} });
    stream.close();
  } catch (error) {
    await sendError(stream, exchange, error);
  }
  return reply;
}

/** Sends an error after the head. A stopping server sends none, so that the caller reconnects. */
async function sendError(stream: EventStream, exchange: Exchange, error: unknown): Promise<void> {
  if (exchange.stopping.aborted) {
    await stream.send({ name: 'reconnect', data: {} });
  } else {
    const known = murmurErrorOf(error);
    logFailure(exchange.request, error, known.code);
    await stream.send({ name: 'error', data: errorAnswer(known, exchange.request.id) });
  }
  stream.close();
}

/** Logs the stack of a defect, but not errors of the caller. */
export function logFailure(request: FastifyRequest, error: unknown, code: string): void {
  if (code === 'INTERNAL') request.log.error({ err: error }, 'defect');
}

function takesEvents(request: FastifyRequest): boolean {
  return request.headers.accept?.includes('text/event-stream') === true;
}

/** Opens a stream with the first progress that is reported after `plainAnswer`. */
class ProgressStream {
  readonly #open: () => EventStream;
  readonly #timer: NodeJS.Timeout;
  #stream: EventStream | undefined;
  #latest: object | undefined;

  constructor(reply: FastifyReply, timing: ServerParts['timing'], signal: AbortSignal) {
    this.#open = () => new EventStream(reply, timing.heartbeat, signal);
    this.#timer = setTimeout(() => {
      this.#stream = this.#open();
      if (this.#latest !== undefined) void this.#stream.send({ name: 'progress', data: this.#latest });
    }, timing.plainAnswer);
  }

  tell(progress: object): void {
    this.#latest = progress;
    // Not awaited: there is little progress, and for a slow reader it waits in the socket.
    void this.#stream?.send({ name: 'progress', data: progress });
  }

  /** The stream, if it was opened. After this call, none will be opened. */
  end(): EventStream | undefined {
    clearTimeout(this.#timer);
    return this.#stream;
  }
}
