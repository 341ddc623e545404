// `POST /file`: a file as the body of an answer.
import { once } from 'node:events';
import type { ServerResponse } from 'node:http';

/**
 * Sends the pieces with back-pressure. Stops when the reader disconnects or `closing` aborts. Throws an error before
 * the first piece. After that, an error breaks off the answer, so that it does not look complete.
 */
export async function streamFile(
  response: ServerResponse,
  pieces: (signal: AbortSignal) => AsyncIterable<Buffer>,
  closing: AbortSignal,
): Promise<void> {
  const gone = new AbortController();
  response.once('close', () => gone.abort());
  const signal = AbortSignal.any([gone.signal, closing]);
  try {
    for await (const piece of pieces(signal)) {
      if (!response.headersSent) response.writeHead(200, HEADERS);
      if (!response.write(piece)) await once(response, 'drain', { signal });
    }
    if (!response.headersSent) response.writeHead(200, HEADERS);
    response.end();
  } catch (error) {
    if (!response.headersSent) throw error;
    response.destroy();
  }
}

const HEADERS = { 'content-type': 'application/octet-stream', 'cache-control': 'no-store' };
