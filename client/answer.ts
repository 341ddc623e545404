// Calls with one answer, which may follow progress events.
import type { IncomingMessage } from 'node:http';
import { MurmurError } from '../contract/wire/errors.ts';
import { textOf } from './exchange.ts';
import { readErrorBody, send, unreachable } from './request.ts';
import type { Endpoint, Request } from './request.ts';
import { Backoff } from './retry.ts';
import { readEvents } from './sse.ts';

export interface AnswerRequest extends Request {
  readonly onProgress: ((progress: unknown) => void) | undefined;
  readonly onRetry: ((error: MurmurError) => void) | undefined;
}

/** Repeats the call with the same idempotency key until there is an answer. */
export async function answer(endpoint: Endpoint, request: AnswerRequest): Promise<unknown> {
  const backoff = new Backoff(endpoint.retryForMs, request.signal);
  const observed: AnswerRequest = {
    ...request,
    onHeartbeat: () => {
      backoff.renew();
      request.onHeartbeat?.();
    },
  };
  for (;;) {
    try {
      return await ask(endpoint, observed, backoff);
    } catch (error) {
      await backoff.pauseAfter(error, request.onRetry);
    }
  }
}

async function ask(endpoint: Endpoint, request: AnswerRequest, backoff: Backoff): Promise<unknown> {
  const response = await send(endpoint, request);
  if (response.headers['content-type']?.startsWith('text/event-stream') === true) {
    return await followToResult(endpoint, request, response, backoff);
  }
  try {
    return JSON.parse(await textOf(response));
  } catch (error) {
    request.signal?.throwIfAborted();
    throw unreachable(endpoint, error);
  }
}

async function followToResult(
  endpoint: Endpoint,
  request: AnswerRequest,
  response: IncomingMessage,
  backoff: Backoff,
): Promise<unknown> {
  for await (const message of readEvents(endpoint, request, response)) {
    backoff.renew();
    if (message.event === 'result') return JSON.parse(message.data);
    if (message.event === 'progress') request.onProgress?.(JSON.parse(message.data));
    if (message.event === 'error') throw streamError(message.data);
    if (message.event === 'reconnect') break;
  }
  throw unreachable(endpoint, new Error('the answer was cut off'));
}

/** The error in an `error` event: an error body under `error`, as in an answer. */
export function streamError(data: string): MurmurError {
  const body = readErrorBody(data);
  return body === undefined
    ? new MurmurError('INTERNAL', 'the server sent an error that cannot be read')
    : MurmurError.fromBody(body);
}
