// A model server for the demo, the tests and the benchmark: the Messages API with streaming, with answers from a
// script. On loopback only. Built-ins only.
import { createHash } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { scriptedVerdict, scriptPlace } from '../../runner/backends/fake/script.ts';
import { answer, newId, refuse } from './answer.ts';
import type { ModelRequest } from './request.ts';
import { readRequest } from './request.ts';
import type { ModelStep } from './step.ts';

/**
 * Returns the model's answer. Undefined: the script in the prompt, or an acknowledgement. It may wait before it
 * answers. If it throws, the request fails with status 500 and the error's message.
 */
export type ModelScript = (request: ModelRequest) => ModelStep | undefined | Promise<ModelStep | undefined>;

export interface ScriptedModelOptions {
  readonly script?: ModelScript;
  /** 0, the default: any free port. */
  readonly port?: number;
  /** If set, every other key is refused with 401. */
  readonly credential?: string;
  /** Number of requests in `requests`, whose bodies have 80 KB and more. */
  readonly keep?: number;
}

export interface ScriptedModel {
  /** Base URL, for ANTHROPIC_BASE_URL. */
  readonly url: string;
  readonly port: number;
  /** The model's requests, oldest first. */
  readonly requests: readonly ModelRequest[];
  /** Number of requests so far, including those no longer kept. */
  count(): number;
  /**
   * Resolves with the first matching request, past or future. Throws after `timeoutMs` (default 60,000: a cold agent
   * program on a busy machine), with the requests that did arrive.
   */
  waitForRequest(
    fits: (request: ModelRequest) => boolean,
    options?: { readonly timeoutMs?: number },
  ): Promise<ModelRequest>;
  /** Replaces the script for later requests. */
  play(script: ModelScript | undefined): void;
  /** Breaks open connections and closes the port. */
  stop(): Promise<void>;
}

/** Limit of a body: a conversation of the largest context with images, and a margin. More is a defect of the sender. */
const LARGEST_BODY = 256 * 1024 * 1024;

/** Starts the server on 127.0.0.1. Throws if the port is in use. */
export async function startScriptedModel(options: ScriptedModelOptions = {}): Promise<ScriptedModel> {
  const requests: ModelRequest[] = [];
  const waiters = new Set<(request: ModelRequest) => void>();
  const failures = new Map<string, number>();
  const keep = options.keep ?? 1_000;
  let script = options.script;
  let count = 0;

  async function messages(incoming: IncomingMessage, response: ServerResponse): Promise<void> {
    const body = await readJson(incoming);
    if (body === undefined) return refuse(response, { status: 400, message: 'the body is not a JSON object' });
    const request = readRequest(++count, incoming.headers, body);
    response.on('close', () => (request.endedAt = Date.now()));
    requests.push(request);
    if (requests.length > keep) requests.shift();
    for (const waiter of waiters) waiter(request);
    if (options.credential !== undefined && request.credential !== options.credential) {
      return refuse(response, { status: 401, message: 'invalid x-api-key' });
    }
    const { step, key } = await nextStep(request);
    if (step.hang === true) return;
    if (step.delayMs !== undefined) await delay(step.delayMs);
    const fails = isFailing(step, key);
    if (fails && step.status !== undefined) return refuse(response, { ...step, status: step.status });
    await answer(response, request, step, fails);
  }

  async function nextStep(request: ModelRequest): Promise<{ step: ModelStep; key: string }> {
    try {
      const step = await script?.(request);
      if (step !== undefined) return { step, key: `function:${request.session}:${request.messages.length}` };
    } catch (error) {
      return { step: { status: 500, message: `the script failed: ${String(error)}` }, key: '' };
    }
    if (request.tools.includes('StructuredOutput')) {
      const step = scriptedVerdict(request.messages.map(({ text }) => text).join('\n'));
      const all = { done: true, reason: 'nothing is missing', missing: [] };
      const verdict = step === undefined ? all : step.verdict;
      const answer =
        verdict === null ? { text: 'I cannot tell.' } : { tool: 'StructuredOutput', input: { ...(verdict as object) } };
      return { step: { ...answer, ...(step?.hang === true ? { hang: true } : {}) }, key: `verdict:${request.session}` };
    }
    const place = scriptPlace<ModelStep>(request.messages);
    const step = place?.steps[place.position];
    if (place === undefined || step === undefined) {
      return { step: { text: `ACK ${request.messages.length}: ${request.prompt.slice(0, 200)}` }, key: '' };
    }
    const digest = createHash('sha256').update(place.source).digest('hex');
    return { step, key: `${request.session}:${digest}:${place.position}` };
  }

  /** Whether the step fails this time: `times` counts per conversation and place in it. */
  function isFailing(step: ModelStep, key: string): boolean {
    const canFail = step.status ?? step.cut ?? step.sseError ?? step.malformed;
    if (canFail === undefined || canFail === false) return false;
    const failed = failures.get(key) ?? 0;
    failures.set(key, failed + 1);
    return step.times === undefined || failed < step.times;
  }

  const server = createServer((incoming, response) => {
    route(incoming, response, messages).catch(() => response.destroy());
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(options.port ?? 0, '127.0.0.1', resolve);
  });
  const { port } = server.address() as AddressInfo;

  return {
    url: `http://127.0.0.1:${port}`,
    port,
    requests,
    count: () => count,
    waitForRequest: (fits, { timeoutMs = 60_000 } = {}) =>
      new Promise((resolve, reject) => {
        const past = requests.find(fits);
        if (past !== undefined) return resolve(past);
        const settle = (): void => {
          clearTimeout(timer);
          waiters.delete(waiter);
        };
        const waiter = (request: ModelRequest): void => {
          if (!fits(request)) return;
          settle();
          resolve(request);
        };
        const timer = setTimeout(() => {
          settle();
          const last = requests.slice(-3).map(({ prompt, step }) => `"${prompt.slice(0, 80)}" at step ${step}`);
          reject(new Error(`no such model request in ${timeoutMs} ms; ${count} came, the last: ${last.join(', ')}`));
        }, timeoutMs);
        waiters.add(waiter);
      }),
    play: (next) => void (script = next),
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

/** The routes that agent programs call. Only one is real; the others get an answer so that nothing waits for them. */
async function route(
  incoming: IncomingMessage,
  response: ServerResponse,
  messages: (incoming: IncomingMessage, response: ServerResponse) => Promise<void>,
): Promise<void> {
  const path = (incoming.url ?? '').split('?')[0];
  if (incoming.method === 'POST' && path === '/v1/messages') return await messages(incoming, response);
  const json = (body: object): void =>
    void response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(body));
  if (incoming.method === 'POST' && path === '/v1/messages/count_tokens') {
    return json({ input_tokens: Math.ceil(JSON.stringify((await readJson(incoming)) ?? {}).length / 4) });
  }
  if (path === '/v1/models') return json({ data: [], has_more: false, first_id: null, last_id: null });
  if (incoming.method === 'HEAD' || path === '/' || path === '/health') return json({ id: newId('health_') });
  refuse(response, { status: 404, message: `no route ${incoming.method} ${path}` });
}

async function readJson(incoming: IncomingMessage): Promise<Readonly<Record<string, unknown>> | undefined> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of incoming as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > LARGEST_BODY) return undefined;
    chunks.push(chunk);
  }
  try {
    const body: unknown = JSON.parse(Buffer.concat(chunks).toString('utf8'));
    return typeof body === 'object' && body !== null ? (body as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}
