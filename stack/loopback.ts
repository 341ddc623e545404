// Questions to the programs of this host, with Node's plain client: `fetch` takes longer to load than to start a program.
import { request } from 'node:http';
import { request as requestByTls, type RequestOptions } from 'node:https';

export interface Question {
  /** An answer that takes longer is none, in milliseconds. */
  readonly limitMs: number;
  /** Posted as JSON; without one it is a GET. */
  readonly body?: unknown;
  /** The Host header, where it is not the URL's. */
  readonly host?: string;
  /** Certificates, for https. */
  readonly tls?: Pick<RequestOptions, 'ca' | 'cert' | 'key' | 'servername'>;
}

/** The JSON of a good answer, null when it is no JSON; undefined for any other answer and when there is none. */
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
  // Its own connection: a pooled one would be open when the program that answers is to end.
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
