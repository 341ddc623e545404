// Reads server-sent events from an answer.
import type { IncomingMessage } from 'node:http';
import { createParser } from 'eventsource-parser';
import type { EventSourceMessage } from 'eventsource-parser';
import type { Endpoint, Request } from './request.ts';
import { unreachable } from './request.ts';

/**
 * The server sends a comment at least every 15 s. After three missed ones, the server or the network counts as dead,
 * although the connection is open.
 */
const SILENCE_MS = 45_000;

/**
 * Yields the events of one answer until it ends. Throws UNAVAILABLE when the connection breaks or stalls, and the
 * signal's reason when it aborts.
 */
export async function* readEvents(
  endpoint: Endpoint,
  request: Request,
  response: IncomingMessage,
): AsyncGenerator<EventSourceMessage> {
  const pending: EventSourceMessage[] = [];
  const parser = createParser({
    onEvent: (event) => pending.push(event),
    onComment: () => request.onHeartbeat?.(),
  });
  const pieces = (response.setEncoding('utf8') as AsyncIterable<string, undefined>)[Symbol.asyncIterator]();
  try {
    for (;;) {
      const piece = await readInTime(endpoint, request, pieces);
      if (piece === undefined) return;
      parser.feed(piece);
      yield* pending.splice(0);
    }
  } finally {
    response.destroy();
  }
}

async function readInTime(
  endpoint: Endpoint,
  request: Request,
  pieces: AsyncIterator<string, undefined>,
): Promise<string | undefined> {
  let timer: NodeJS.Timeout | undefined;
  const silence = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error('the event stream sent no data in time')), SILENCE_MS);
  });
  try {
    const { value } = await Promise.race([pieces.next(), silence]);
    return value;
  } catch (error) {
    request.signal?.throwIfAborted();
    throw unreachable(endpoint, error);
  } finally {
    clearTimeout(timer);
  }
}
