// Reads server-sent events from an answer.
import { createParser } from 'eventsource-parser';
import type { EventSourceMessage } from 'eventsource-parser';
import type { Endpoint, Request } from './request.ts';
import { unreachable } from './request.ts';

/**
 * The server sends a comment at least every 15 s: three missed ones mean that it, or the way to it, is dead although
 * the connection still stands.
 */
const SILENCE_MS = 45_000;

/**
 * Yields the events of one answer until it ends. Throws UNAVAILABLE when the connection breaks or falls silent, and
 * the signal's reason when it aborts.
 */
export async function* readEvents(
  endpoint: Endpoint,
  request: Request,
  response: Response,
): AsyncGenerator<EventSourceMessage> {
  const pending: EventSourceMessage[] = [];
  const parser = createParser({
    onEvent: (event) => pending.push(event),
    onComment: () => request.onHeartbeat?.(),
  });
  const reader = (response.body ?? new ReadableStream<Uint8Array>()).getReader();
  const decoder = new TextDecoder();
  try {
    for (;;) {
      const chunk = await readInTime(endpoint, request, reader);
      if (chunk === undefined) return;
      parser.feed(decoder.decode(chunk, { stream: true }));
      yield* pending.splice(0);
    }
  } finally {
    await reader.cancel().catch(() => undefined);
  }
}

async function readInTime(
  endpoint: Endpoint,
  request: Request,
  reader: ReadableStreamDefaultReader<Uint8Array>,
): Promise<Uint8Array | undefined> {
  let timer: NodeJS.Timeout | undefined;
  const silence = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error('the event stream fell silent')), SILENCE_MS);
  });
  try {
    const { value } = await Promise.race([reader.read(), silence]);
    return value;
  } catch (error) {
    request.signal?.throwIfAborted();
    throw unreachable(endpoint, error);
  } finally {
    clearTimeout(timer);
  }
}
