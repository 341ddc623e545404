// Requests to programs of this host, with Node's basic client: loading `fetch` takes longer than starting a program.
import { request } from 'node:http';
import { request as requestByTls, type RequestOptions } from 'node:https';

export interface Question {
  /** Time limit in milliseconds. A later answer counts as none. */
  readonly limitMs: number;
  /** Posted as JSON. Without a body, the request is a GET. */
  readonly body?: unknown;
  /** The Host header, if it differs from the URL's. */
  readonly host?: string;
  /** Certificates, for https. */
  readonly tls?: Pick<RequestOptions, 'ca' | 'cert' | 'key' | 'servername'>;
}

/** The JSON of a successful answer, null for invalid JSON; undefined for an error status or without an answer. */
export async function ask(url: string, question: Question): Promise<unknown> {
  try {
    const { ok, text } = await exchange(url, question, AbortSignal.timeout(question.limitMs));
    return ok ? parse(text) : undefined;
  } catch {
    return undefined;
  }
}

async function exchange(
  url: string,
  { body, host, tls }: Question,
  signal: AbortSignal,
): Promise<{ readonly ok: boolean; readonly text: string }> {
  const payload = body === undefined ? undefined : JSON.stringify(body);
  const headers = {
    ...(payload === undefined
      ? {}
      : { 'content-type': 'application/json', 'content-length': Buffer.byteLength(payload) }),
    ...(host === undefined ? {} : { host }),
  };
  const { promise, reject, resolve } = Promise.withResolvers<{ readonly ok: boolean; readonly text: string }>();
  // Its own connection: a pooled one would still be open when the other program shuts down.
  const options = { method: payload === undefined ? 'GET' : 'POST', headers, signal, agent: false, ...tls } as const;
  const send = tls === undefined ? request : requestByTls;
  send(url, options, (answer) => {
    let text = '';
    answer.setEncoding('utf8').on('data', (piece: string) => (text += piece));
    answer.once('error', reject);
    answer.once('end', () => {
      resolve({ ok: answer.statusCode === 200, text });
    });
  })
    .on('error', reject)
    .end(payload);
  return await promise;
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
