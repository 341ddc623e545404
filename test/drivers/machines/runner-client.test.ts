import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { once } from 'node:events';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { createFakeProvider } from '../../../drivers/machines/fake.ts';
import type { Machine } from '../../../drivers/machines/provider.ts';
import type { RunnerClient } from '../../../drivers/machines/runner-client.ts';
import { createRunnerClient } from '../../../drivers/machines/runner-client.ts';
import { runnerProof } from '../../../runner/identity/proof.ts';
import { hasProved } from './proving.ts';
import { temporaryFolder } from '../temporary-folder.ts';
import { creation } from '../../fixtures/creation.ts';

jest.setTimeout(60_000);

type Handler = (request: IncomingMessage, response: ServerResponse) => void | Promise<void>;

describe('runner client', () => {
  let folder: Awaited<ReturnType<typeof temporaryFolder>>;
  let machine: Machine;
  let server: Server;
  let client: RunnerClient;
  let handle: Handler;

  beforeEach(async () => {
    folder = await temporaryFolder();
    const provider = createFakeProvider(folder.path);
    await provider.create({ name: 'murmur-1', labels: {} }, creation());
    machine = await provider.connect('murmur-1');
    server = createServer((request, response) => {
      if (!hasProved(request, response, 'the-token')) void handle(request, response);
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    client = createRunnerClient(machine, { port: (server.address() as AddressInfo).port, token: 'the-token' });
  });
  afterEach(async () => {
    server.closeAllConnections();
    server.close();
    await folder[Symbol.asyncDispose]();
  });

  const answering =
    (status: number, body: unknown): Handler =>
    (_, response) => {
      response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
    };

  it('sends the token and the request, and returns the answer', async () => {
    const seen: unknown[] = [];
    handle = async (request, response) => {
      seen.push([request.method, request.url, request.headers.authorization, JSON.parse(await text(request))]);
      response.end('{"state":"running"}');
    };
    const turn = { turn_id: 't1', number: 1, prompt: 'grün', inputs: [] };
    await expect(client.turn(turn)).resolves.toEqual({ state: 'running' });
    expect(seen).toEqual([['POST', '/turn', 'Bearer the-token', turn]]);
  });

  it.each<[string, Handler]>([
    ['reports good health', answering(200, { protocol: 1, machine: 'murmur-1', pid: 1 })],
    ['rejects the request', answering(401, {})],
    ['echoes the request', (request, response) => void response.end(request.url)],
    [
      'has the proof of another port',
      (request, response) => {
        const nonce = request.url?.split('nonce=')[1] ?? '';
        response.end(runnerProof({ port: 1, token: 'the-token' }, nonce));
      },
    ],
    ['has another token', (request, response) => void hasProved(request, response, 'another')],
  ])('sends neither token nor request to another program on the port that %s', async (_, impostor) => {
    const heard: unknown[] = [];
    const other = createServer((request, response) => {
      heard.push([request.method, request.url?.replace(/=.*/, ''), request.headers.authorization]);
      void impostor(request, response);
    }).listen(0, '127.0.0.1');
    await once(other, 'listening');
    const stale = createRunnerClient(machine, { port: (other.address() as AddressInfo).port, token: 'the-token' });
    try {
      await expect(stale.stop({ status: 'cut_off' })).rejects.toMatchObject({ code: 'UNAUTHENTICATED' });
    } finally {
      other.closeAllConnections();
      other.close();
    }
    expect(heard).toEqual([['GET', '/proof?nonce', undefined]]);
  });

  it('throws UNAUTHENTICATED and sends nothing when a runner without proof no longer has its port', async () => {
    let isUnchanged = true;
    const { port } = server.address() as AddressInfo;
    const early = createRunnerClient(machine, { port, token: 'early', isUnchanged: async () => isUnchanged });
    const heard: unknown[] = [];
    handle = (request, response) => {
      heard.push([request.url, request.headers.authorization]);
      response.end('{}');
    };
    await early.health();
    isUnchanged = false;
    await expect(early.health()).rejects.toMatchObject({ code: 'UNAUTHENTICATED' });
    expect(heard).toEqual([['/health', 'Bearer early']]);
  });

  it("throws the runner's error with all its fields", async () => {
    const error = { code: 'FAILED_PRECONDITION', message: 'a turn is running', hint: 'wait', details: { turn: 't1' } };
    handle = answering(409, { error });
    await expect(client.snapshot()).rejects.toMatchObject(error);
  });

  it.each([
    [500, { error: { code: 'NO_SUCH_CODE', message: 'x' } }],
    [404, {}],
  ])('throws INTERNAL for an answer %d without an error of the table', async (status, body) => {
    handle = answering(status, body);
    await expect(client.snapshot()).rejects.toMatchObject({ code: 'INTERNAL' });
  });

  it.each<[string, Handler]>([
    ['hangs up', (request) => void request.socket.destroy()],
    ['breaks off its answer', (_, response) => void response.write('{"sta', () => response.destroy())],
    ['answers no JSON', (_, response) => void response.end('<html>')],
  ])('throws UNAVAILABLE that names the machine when the runner %s', async (_, handler) => {
    handle = handler;
    await expect(client.health()).rejects.toMatchObject({
      code: 'UNAVAILABLE',
      message: expect.stringContaining('murmur-1'),
    });
  });

  it('throws UNAVAILABLE when nothing listens', async () => {
    const gone = createServer().listen(0, '127.0.0.1');
    await once(gone, 'listening');
    const { port } = gone.address() as AddressInfo;
    gone.close();
    await once(gone, 'close');
    const stale = createRunnerClient(machine, { port, token: 'x' });
    await expect(stale.health()).rejects.toMatchObject({ code: 'UNAVAILABLE' });
    await expect(stale.events(0, new AbortController().signal)[Symbol.asyncIterator]().next()).rejects.toMatchObject({
      code: 'UNAVAILABLE',
    });
  });

  it('ends a long call when its signal aborts', async () => {
    const abort = new AbortController();
    handle = () => abort.abort();
    const request = { repos: [], session_id: 's', backend: 'fake', env: {}, secret_names: [] } as const;
    await expect(client.open(request, abort.signal)).rejects.toMatchObject({ code: 'UNAVAILABLE' });
  });

  describe('events', () => {
    const event = (seq: number): string =>
      JSON.stringify({ seq, at: '', event: { type: 'note', text: `grün ${seq}` } });

    it('begin after the given number, are complete for any chunks of the stream, and exclude blank lines', async () => {
      const urls: (string | undefined)[] = [];
      handle = (request, response) => {
        urls.push(request.url);
        const bytes = Buffer.from(`${event(4)}\n\n${event(5)}\n${event(6)}\n`);
        // In the middle of a line, and of a character.
        const cut = bytes.indexOf(0xc3, bytes.indexOf(10)) + 1;
        response.write(bytes.subarray(0, cut), () => response.write(bytes.subarray(cut)));
      };
      const abort = new AbortController();
      const seqs: number[] = [];
      for await (const batch of client.events(3, abort.signal)) {
        seqs.push(...batch.map(({ seq }) => seq));
        if (seqs.length === 3) abort.abort();
      }
      expect(urls).toEqual(['/events?after=3']);
      expect(seqs).toEqual([4, 5, 6]);
    });

    it('end without an error when the signal aborts during a wait', async () => {
      const abort = new AbortController();
      handle = (_, response) => {
        response.flushHeaders();
        abort.abort();
      };
      const next = client.events(0, abort.signal)[Symbol.asyncIterator]().next();
      await expect(next).resolves.toEqual({ done: true, value: undefined });
    });

    it('end with UNAVAILABLE when the runner ends', async () => {
      handle = (request, response) => {
        response.write(`${event(1)}\n`, () => request.socket.destroy());
      };
      const iterator = client.events(0, new AbortController().signal)[Symbol.asyncIterator]();
      await expect(iterator.next()).resolves.toMatchObject({ value: [{ seq: 1 }] });
      await expect(iterator.next()).rejects.toMatchObject({ code: 'UNAVAILABLE' });
    });

    it('end with UNAVAILABLE when the runner sends nothing', async () => {
      handle = (_, response) => response.flushHeaders();
      const iterator = client.events(0, new AbortController().signal)[Symbol.asyncIterator]();
      await expect(iterator.next()).rejects.toMatchObject({ code: 'UNAVAILABLE' });
    });

    it("end with the runner's error when it refuses", async () => {
      handle = answering(401, { error: { code: 'UNAUTHENTICATED', message: 'wrong token' } });
      const iterator = client.events(0, new AbortController().signal)[Symbol.asyncIterator]();
      await expect(iterator.next()).rejects.toMatchObject({ code: 'UNAUTHENTICATED' });
    });
  });
});
