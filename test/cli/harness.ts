// Runs commands in this process against an HTTP server with canned answers.
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type IncomingHttpHeaders, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { json } from 'node:stream/consumers';
import { ERRORS, type ErrorBody } from '../../contract/wire/errors.ts';
import { runInProcess, type RunOptions, type RunResult } from './in-process.ts';

/** The server's answer: a value, an error, or the text of an event stream. */
export type Answer = { readonly body: unknown } | { readonly error: ErrorBody } | { readonly stream: string };

export interface ReceivedCall {
  readonly operation: string;
  readonly input: Record<string, unknown>;
  readonly headers: IncomingHttpHeaders;
}

/** A server, an empty MURMUR_HOME, and a way to run commands against both. */
export class CliHarness {
  readonly home: string;
  readonly url: string;
  readonly calls: ReceivedCall[] = [];
  readonly #server: Server;
  readonly #answers = new Map<string, Answer>();

  private constructor(home: string, server: Server) {
    this.home = home;
    this.#server = server;
    this.url = `http://127.0.0.1:${(server.address() as AddressInfo).port.toString()}`;
    server.on('request', (request, response) => {
      void json(request).then((input) => {
        const operation = request.url?.replace('/v1/', '') ?? '';
        this.calls.push({ operation, input: input as Record<string, unknown>, headers: request.headers });
        const { status, type, text } = render(this.#answers.get(operation));
        response.writeHead(status, { 'content-type': type });
        // A stream that contains `hold` stays open, like that of a living agent.
        if (text.endsWith(':hold\n\n')) response.write(text);
        else response.end(text);
      });
    });
  }

  static async start(): Promise<CliHarness> {
    const home = await mkdtemp(join(tmpdir(), 'murmur-cli-'));
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return new CliHarness(home, server);
  }

  answer(operation: string, answer: Answer): void {
    this.#answers.set(operation, answer);
  }

  /** The environment with which a command calls this server. */
  env(): Record<string, string> {
    return { PATH: process.env['PATH'] ?? '', MURMUR_HOME: this.home, MURMUR_API_URL: this.url, MURMUR_TOKEN: 't' };
  }

  /** Input of the last call. */
  lastInput(): Record<string, unknown> {
    return this.calls.at(-1)?.input ?? {};
  }

  run(argv: readonly string[], options: Partial<RunOptions> = {}): Promise<RunResult> {
    return runInProcess(argv, { cwd: this.home, ...options, env: { ...this.env(), ...options.env } });
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
    await rm(this.home, { recursive: true, force: true });
  }
}

/** One server-sent event. */
export function event(name: string, data: unknown, id?: string): string {
  return `${id === undefined ? '' : `id: ${id}\n`}event: ${name}\ndata: ${JSON.stringify(data)}\n\n`;
}

function render(answer: Answer | undefined): { status: number; type: string; text: string } {
  const type = 'application/json';
  if (answer === undefined) return render({ error: { code: 'INTERNAL', message: 'no canned answer' } });
  if ('stream' in answer) return { status: 200, type: 'text/event-stream', text: answer.stream };
  if ('body' in answer) return { status: 200, type, text: JSON.stringify(answer.body) };
  return { status: ERRORS[answer.error.code].http, type, text: JSON.stringify({ error: answer.error }) };
}
