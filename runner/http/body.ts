// Request bodies and answers, as JSON.
import type { IncomingMessage, ServerResponse } from 'node:http';
import { ERRORS, MurmurError } from '../../contract/wire/errors.ts';

/**
 * A turn brings all messages that wait at once: what `queued_mb` lets all senders have waiting, 80 MiB by default, up to six
 * times as much when it is escaped. Only the worker, which holds the token, gets as far as a body; this ends a defect of ours
 * before the text is too long for a string.
 */
const BODY_LIMIT = 500 * 1024 * 1024;

/** The body as an object. Throws INVALID_ARGUMENT for anything else, RESOURCE_EXHAUSTED past the limit. */
export async function readBody(request: IncomingMessage): Promise<Readonly<Record<string, unknown>>> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  checkSize(Number(request.headers['content-length'] ?? 0));
  for await (const chunk of request as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    checkSize(bytes);
    chunks.push(chunk);
  }
  if (bytes === 0) return {};
  const body = parse(Buffer.concat(chunks).toString('utf8'));
  if (typeof body !== 'object' || body === null || Array.isArray(body)) {
    throw new MurmurError('INVALID_ARGUMENT', 'the request is not a JSON object');
  }
  return body as Readonly<Record<string, unknown>>;
}

/** Sends a JSON answer; no-op when the caller has gone. */
export function sendJson(response: ServerResponse, status: number, body: unknown): void {
  if (response.headersSent || response.destroyed) return;
  response.writeHead(status, { 'content-type': 'application/json' });
  response.end(JSON.stringify(body));
}

/** Sends an error of the table; anything else is INTERNAL. */
export function sendError(response: ServerResponse, error: unknown): void {
  const known =
    error instanceof MurmurError
      ? error
      : new MurmurError('INTERNAL', error instanceof Error ? error.message : String(error), { cause: error });
  if (known.code === 'INTERNAL') console.error(error);
  sendJson(response, ERRORS[known.code].http, { error: known.toBody() });
}

function checkSize(bytes: number): void {
  if (bytes <= BODY_LIMIT) return;
  throw new MurmurError('RESOURCE_EXHAUSTED', `the request has more than ${BODY_LIMIT} bytes`);
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new MurmurError('INVALID_ARGUMENT', 'the request is not JSON', { cause: error });
  }
}
