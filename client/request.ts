// One HTTP request to the API server, and the errors of a failed one.
import type { IncomingMessage } from 'node:http';
import { isErrorCode, MurmurError } from '../contract/wire/errors.ts';
import type { ErrorBody } from '../contract/wire/errors.ts';
import { post, textOf } from './exchange.ts';

/** The API server and the limits of retries. */
export interface Endpoint {
  readonly url: string;
  readonly token: string | undefined;
  readonly retryForMs: number;
  readonly reconnectForMs: number;
  readonly traceparent: string | undefined;
}

/** One call, the same for all its attempts. */
export interface Request {
  readonly operation: string;
  readonly body: unknown;
  readonly key: string;
  readonly signal: AbortSignal | undefined;
  readonly onHeartbeat: (() => void) | undefined;
}

/**
 * Sends the request once. Returns an answer with status 200. Throws a MurmurError for other answers, UNAVAILABLE
 * without an answer, and the signal's reason.
 */
export async function send(endpoint: Endpoint, request: Request, lastEventId?: string): Promise<IncomingMessage> {
  const answer = await reach(endpoint, request, lastEventId);
  if (answer.statusCode === 200) return answer;
  throw readError(endpoint, answer.statusCode ?? 0, await textOf(answer).catch(() => ''));
}

async function reach(endpoint: Endpoint, request: Request, lastEventId: string | undefined): Promise<IncomingMessage> {
  try {
    return await post(`${endpoint.url}/v1/${request.operation}`, {
      headers: {
        'content-type': 'application/json',
        accept: 'application/json, text/event-stream',
        'idempotency-key': request.key,
        ...(endpoint.token === undefined ? {} : { authorization: `Bearer ${endpoint.token}` }),
        ...(endpoint.traceparent === undefined ? {} : { traceparent: endpoint.traceparent }),
        ...(lastEventId === undefined ? {} : { 'last-event-id': lastEventId }),
      },
      body: JSON.stringify(request.body),
      signal: request.signal,
    });
  } catch (error) {
    request.signal?.throwIfAborted();
    throw unreachable(endpoint, error);
  }
}

/** The error for a server that does not answer or stopped answering. */
export function unreachable(endpoint: Endpoint, cause: unknown): MurmurError {
  return new MurmurError('UNAVAILABLE', `cannot reach the API server at ${endpoint.url}: ${reasonOf(cause)}`, {
    hint: 'run `murmur up`',
    details: { url: endpoint.url },
    cause,
  });
}

/** The reason of a failure. `fetch`, which uploads use, has it in the cause of its error. */
function reasonOf(error: unknown): string {
  const { cause = error } = error as { readonly cause?: unknown };
  const { code, message } = cause as { readonly code?: unknown; readonly message?: unknown };
  if (code === 'ECONNREFUSED') return 'connection refused';
  if (code === 'ECONNRESET' || code === 'UND_ERR_SOCKET') return 'connection lost';
  return typeof message === 'string' ? message : String(cause);
}

/** The error in an answer; UNAVAILABLE for an answer that is not from an API server. */
export function readError(endpoint: Endpoint, status: number, text: string): MurmurError {
  const body = readErrorBody(text);
  if (body !== undefined) return MurmurError.fromBody(body);
  const what = `${endpoint.url} is not a Murmur API server: it answered with HTTP status ${String(status)}`;
  return new MurmurError('UNAVAILABLE', what, { hint: 'run `murmur up`', details: { url: endpoint.url } });
}

/** Parses `{"error": {…}}`; undefined for anything else. */
export function readErrorBody(text: string): ErrorBody | undefined {
  let body: unknown;
  try {
    body = JSON.parse(text);
  } catch {
    return undefined;
  }
  const error = (body as { readonly error?: Partial<ErrorBody> } | null)?.error;
  if (!isErrorCode(error?.code) || typeof error.message !== 'string') return undefined;
  const { code, message, hint, details } = error;
  return {
    code,
    message,
    ...(hint === undefined ? {} : { hint }),
    ...(details === undefined ? {} : { details }),
  };
}
