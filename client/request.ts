// One HTTP exchange with the API server, and what its failure means.
import { isErrorCode, MurmurError } from '../contract/wire/errors.ts';
import type { ErrorBody } from '../contract/wire/errors.ts';

/** The API server and how patiently it is asked. */
export interface Endpoint {
  readonly url: string;
  readonly token: string | undefined;
  readonly retryForMs: number;
  readonly reconnectForMs: number;
}

/** One call, however often it is sent. */
export interface Request {
  readonly operation: string;
  readonly body: unknown;
  readonly key: string;
  readonly signal: AbortSignal | undefined;
  readonly onHeartbeat: (() => void) | undefined;
}

/**
 * Sends the request once. Returns the answer when its status is 200; throws MurmurError otherwise, UNAVAILABLE when
 * there was no answer, or the signal's reason.
 */
export async function send(endpoint: Endpoint, request: Request, lastEventId?: string): Promise<Response> {
  const response = await reach(endpoint, request, lastEventId);
  if (response.status === 200) return response;
  throw await readError(endpoint, response);
}

async function reach(endpoint: Endpoint, request: Request, lastEventId: string | undefined): Promise<Response> {
  try {
    return await fetch(`${endpoint.url}/v1/${request.operation}`, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        accept: 'application/json, text/event-stream',
        'idempotency-key': request.key,
        ...(endpoint.token === undefined ? {} : { authorization: `Bearer ${endpoint.token}` }),
        ...(lastEventId === undefined ? {} : { 'last-event-id': lastEventId }),
      },
      body: JSON.stringify(request.body),
      // A redirect would carry the token to somebody else.
      redirect: 'error',
      ...(request.signal === undefined ? {} : { signal: request.signal }),
    });
  } catch (error) {
    request.signal?.throwIfAborted();
    throw unreachable(endpoint, error);
  }
}

/** The error for a server that does not answer, or stopped answering. */
export function unreachable(endpoint: Endpoint, cause: unknown): MurmurError {
  return new MurmurError('UNAVAILABLE', `cannot reach the API server at ${endpoint.url}: ${reasonOf(cause)}`, {
    hint: 'run `murmur up`',
    details: { url: endpoint.url },
    cause,
  });
}

/** fetch hides the reason in the cause of its error. */
function reasonOf(error: unknown): string {
  const { cause = error } = error as { readonly cause?: unknown };
  const { code, message } = cause as { readonly code?: unknown; readonly message?: unknown };
  if (code === 'ECONNREFUSED') return 'connection refused';
  if (code === 'ECONNRESET' || code === 'UND_ERR_SOCKET') return 'connection lost';
  return typeof message === 'string' ? message : String(cause);
}

/** The error that an answer holds; UNAVAILABLE for one that is not the API server's. */
export async function readError(endpoint: Endpoint, response: Response): Promise<MurmurError> {
  const text = await response.text().catch(() => '');
  const body = readErrorBody(text);
  if (body !== undefined) return MurmurError.fromBody(body);
  const what = `${endpoint.url} is not a Murmur API server: it answered with HTTP status ${String(response.status)}`;
  return new MurmurError('UNAVAILABLE', what, { hint: 'run `murmur up`', details: { url: endpoint.url } });
}

/** Reads `{"error": {…}}`; undefined for anything else. */
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
