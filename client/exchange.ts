// One HTTP request and its answer, with Node's plain client: `fetch` takes longer to load than a whole command takes.
import { request as requestHttp, type IncomingMessage, type OutgoingHttpHeaders } from 'node:http';

/** A host that drops packets is given up long before the operating system does so. */
const CONNECT_MS = 10_000;

/** A server that has gone silent with the connection still standing; streams show life every 15 s. */
const SILENCE_MS = 300_000;

/** What is sent. */
export interface Outgoing {
  readonly headers: OutgoingHttpHeaders;
  readonly body: string;
  /** Ends the exchange, also while the answer is read. */
  readonly signal: AbortSignal | undefined;
}

/**
 * Posts to the URL. Resolves with the head of the answer, whose body is for the caller to read or to destroy. Redirects are
 * not followed: they would carry a token to somebody else. Rejects with the error of the connection, or of the URL.
 */
export async function post(url: string, { body, headers, signal }: Outgoing): Promise<IncomingMessage> {
  const address = new URL(url);
  // TLS is loaded where it is used: most servers are on this host.
  const request = address.protocol === 'https:' ? (await import('node:https')).request : requestHttp;
  const { promise, reject, resolve } = Promise.withResolvers<IncomingMessage>();
  const outgoing = request(address, {
    method: 'POST',
    headers: { ...headers, 'content-length': Buffer.byteLength(body) },
    timeout: SILENCE_MS,
    ...(signal === undefined ? {} : { signal }),
  });
  outgoing.once('socket', (socket) => {
    if (!socket.connecting) return;
    const timer = setTimeout(() => outgoing.destroy(new Error('the connection timed out')), CONNECT_MS);
    const stop = (): void => clearTimeout(timer);
    socket.once('connect', stop);
    outgoing.once('close', stop);
  });
  outgoing.once('timeout', () => outgoing.destroy(new Error('the server did not answer in time')));
  outgoing.once('response', resolve);
  outgoing.on('error', reject);
  outgoing.end(body);
  return await promise;
}

/** The whole body as text. Rejects when it breaks off. */
export async function textOf(answer: IncomingMessage): Promise<string> {
  let text = '';
  for await (const piece of answer.setEncoding('utf8') as AsyncIterable<string>) text += piece;
  return text;
}
