// Event streams: reconnected after a break, resumed after the last event that was seen.
import { streamError } from './answer.ts';
import { send, unreachable } from './request.ts';
import type { Endpoint, Request } from './request.ts';
import { Backoff } from './retry.ts';
import { readEvents } from './sse.ts';

/** Yields each event once and in order until the server says that there will be no more. */
export async function* events(endpoint: Endpoint, request: Request): AsyncGenerator {
  const backoff = new Backoff(endpoint.reconnectForMs, request.signal);
  const observed: Request = {
    ...request,
    onHeartbeat: () => {
      backoff.renew();
      request.onHeartbeat?.();
    },
  };
  let lastId: string | undefined;
  for (;;) {
    try {
      const response = await send(endpoint, observed, lastId);
      for await (const message of readEvents(endpoint, observed, response)) {
        backoff.renew();
        if (message.event === 'end') return;
        if (message.event === 'error') throw streamError(message.data);
        if (message.event === 'reconnect') break;
        if (message.id === undefined || isSeen(message.id, lastId)) continue;
        lastId = message.id;
        yield JSON.parse(message.data);
      }
    } catch (error) {
      await backoff.pauseAfter(error);
      continue;
    }
    // The connection was closed in good order: come back after a short pause, without an error to report.
    await backoff.pauseAfter(unreachable(endpoint, new Error('the stream was closed')));
  }
}

/** Ids are decimal numbers that grow along the stream. */
function isSeen(id: string, lastId: string | undefined): boolean {
  return lastId !== undefined && BigInt(id) <= BigInt(lastId);
}
