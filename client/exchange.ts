// One HTTP request and its answer, with Node's basic client: loading `fetch` takes longer than a whole command.
import { request as requestHttp, type IncomingMessage, type OutgoingHttpHeaders } from 'node:http';

/** Far below the operating system's own limit for a host that drops packets. */
const CONNECT_MS = 10_000;

/** Longest silence on an open connection. Streams send a heartbeat every 15 s. */
const SILENCE_MS = 300_000;

/** An outgoing request. */
export interface Outgoing {
  readonly headers: OutgoingHttpHeaders;
  readonly body: string;
  /** Aborts the request, also while the answer is read. */
  readonly signal: AbortSignal | undefined;
}

/**
 * Posts to the URL. Resolves with the head of the answer; the caller reads or destroys its body. Does not follow
 * redirects, which could send the token to another server. Rejects with the error of the connection or of the URL.
 */
export async function post(url: string, { body, headers, signal }: Outgoing): Promise<IncomingMessage> {
  const address = new URL(url);
  // Loads TLS only when needed: most servers are on this host.
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
