// Event streams: reconnect after a break and resume after the last received event.
import { streamError } from './answer.ts';
import { send, unreachable } from './request.ts';
import type { Endpoint, Request } from './request.ts';
import { Backoff } from './retry.ts';
import { readEvents } from './sse.ts';

/** Yields each event once and in order until the server ends the stream. */
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
    // The server closed the connection normally, for example to restart: reconnect after a short pause.
    await backoff.pauseAfter(unreachable(endpoint, new Error('the stream was closed')));
  }
}

/** Whether the event was received before. Ids are increasing decimal numbers. */
function isSeen(id: string, lastId: string | undefined): boolean {
  return lastId !== undefined && BigInt(id) <= BigInt(lastId);
}
