// A server with scripted answers, on a port that stays the same across restarts.
import { createServer } from 'node:http';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export type Answerer = (request: IncomingMessage, response: ServerResponse, body: string) => void;

export interface ScriptedServer extends AsyncDisposable {
  readonly url: string;
  /** Headers of every request, in order. */
  readonly requests: IncomingMessage['headers'][];
  /** Bodies of every request, in order. */
  readonly bodies: unknown[];
  /** Breaks every connection and stops listening, like kill -9. */
  kill(): Promise<void>;
  /** Listens again on the same port. */
  start(): Promise<void>;
}

/** The nth request gets the nth answer; the last one is repeated. */
export async function startScripted(...answers: readonly Answerer[]): Promise<ScriptedServer> {
  const requests: IncomingMessage['headers'][] = [];
  const bodies: unknown[] = [];
  let server: Server | undefined;
  let port = 0;
  const listen = async (): Promise<void> => {
    server = createServer((request, response) => {
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('end', () => {
        const body = Buffer.concat(chunks).toString('utf8');
        const answer = answers[Math.min(requests.length, answers.length - 1)];
        requests.push(request.headers);
        bodies.push(JSON.parse(body));
        answer?.(request, response, body);
      });
    });
    await new Promise<void>((resolve) => server?.listen(port, '127.0.0.1', resolve));
    port = (server.address() as AddressInfo).port;
  };
  const kill = async (): Promise<void> => {
    const dying = server;
    server = undefined;
    dying?.closeAllConnections();
    if (dying !== undefined) await new Promise<void>((resolve) => dying.close(() => resolve()));
  };
  await listen();
  return {
    url: `http://127.0.0.1:${String(port)}`,
    requests,
    bodies,
    kill,
    start: listen,
    [Symbol.asyncDispose]: kill,
  };
}

/** A JSON answer. */
export function json(status: number, body: unknown): Answerer {
  return (_request, response) => {
    response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
  };
}

/** Raw server-sent events, then the end of the answer, a broken connection, or silence. */
export function sse(text: string, then: 'end' | 'break' | 'stay' = 'end'): Answerer {
  return (_request, response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    response.write(text, () => {
      if (then === 'end') response.end();
      if (then === 'break') response.destroy();
    });
  };
}

/** One event of an agent's log. */
export function event(id: number): string {
  return `id: ${String(id)}\ndata: {"id":"${String(id)}","at":"t","event":{"type":"note","text":"n${String(id)}"}}\n\n`;
}
