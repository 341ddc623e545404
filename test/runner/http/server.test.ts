import { afterEach, describe, expect, it } from '@jest/globals';
import { once } from 'node:events';
import { statSync } from 'node:fs';
import { Agent, request } from 'node:http';
import type { IncomingHttpHeaders } from 'node:http';
import { connect } from 'node:net';
import type { Socket } from 'node:net';
import { RUNNER_PROTOCOL } from '../../../contract/wire/runner.ts';
import { runnerProof } from '../../../runner/identity/proof.ts';
import { atEnd, cleanUp, clientOf, MACHINE, startRunner, until } from '../fixture.ts';

afterEach(cleanUp);

interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: unknown;
  readonly localPort: number | undefined;
}

async function call(
  port: number,
  method: string,
  path: string,
  options: {
    readonly headers?: Record<string, string>;
    readonly body?: string | Buffer;
    readonly agent?: Agent;
  } = {},
): Promise<Answer> {
  const { promise, resolve, reject } = Promise.withResolvers<Answer>();
  const { headers, agent } = options;
  const outgoing = request({ host: '127.0.0.1', port, method, path, headers, agent }, (answer) => {
    const { localPort } = answer.socket;
    let text = '';
    answer.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
    answer.on('end', () =>
      resolve({
        ...{ status: answer.statusCode ?? 0, headers: answer.headers, localPort },
        body: text === '' ? '' : JSON.parse(text),
      }),
    );
  });
  outgoing.on('error', reject);
  outgoing.end(options.body);
  return promise;
}

/** A connection that sends nothing. */
async function silentConnection(port: number): Promise<Socket> {
  const socket = connect(port, '127.0.0.1');
  socket.on('error', () => undefined).resume();
  atEnd(async () => void socket.destroy());
  await once(socket, 'connect');
  return socket;
}

function bearer({ token }: { readonly token: string }): { readonly authorization: string } {
  return { authorization: `Bearer ${token}` };
}

describe("the runner's server", () => {
  it('reports its health to callers with its token', async () => {
    const { served } = await startRunner();
    const { status, body } = await call(served.port, 'GET', '/health', { headers: bearer(served) });
    const health = {
      protocol: RUNNER_PROTOCOL,
      machine: MACHINE,
      pid: process.pid,
      build: 'build of the test',
    };
    expect([status, body]).toEqual([200, health]);
  });

  it('accepts a turn with as many messages as may be queued for an agent', async () => {
    const { served } = await startRunner();
    const prompt = 'x'.repeat(80 * 1_048_576);
    const turn = await call(served.port, 'POST', '/turn', {
      headers: bearer(served),
      body: JSON.stringify({ prompt }),
    });
    // The body was read: the error names a missing field.
    expect(turn.body).toMatchObject({ error: { code: 'INVALID_ARGUMENT' } });
  });

  it('proves that it knows its token to callers without one, and reveals nothing else', async () => {
    const { served } = await startRunner();
    const nonce = '0123456789abcdef'.repeat(2);
    const prove = async (text: string): Promise<Response> =>
      fetch(`http://127.0.0.1:${String(served.port)}/proof?nonce=${text}`);
    expect(await (await prove(nonce)).text()).toBe(runnerProof(served, nonce));
    for (const bad of ['', 'x', `${nonce}0`, `${nonce}&a=1`]) expect((await prove(bad)).status).toBe(400);
  });

  it.each([
    ['no token', {}],
    ['a wrong token', { authorization: 'Bearer token-of-the-tesT' }],
    ['a longer token', { authorization: 'Bearer token-of-the-test2' }],
    ['another scheme', { authorization: 'Basic token-of-the-test' }],
  ])('rejects %s', async (_, headers) => {
    const { served } = await startRunner();
    for (const [method, path] of [
      ['GET', '/health'],
      ['POST', '/turn'],
      ['GET', '/events?after=0'],
      ['POST', '/nothing'],
    ] as const) {
      const { status, body } = await call(served.port, method, path, { headers });
      expect([status, body]).toMatchObject([401, { error: { code: 'UNAUTHENTICATED' } }]);
    }
  });

  it.each([
    ['by another name', { host: 'evil.example' }],
    ['by a name that begins like the address', { host: '127.0.0.1.evil.example' }],
    ['with an origin', { origin: 'https://evil.example' }],
    ['with an origin that looks like its own', { origin: 'http://127.0.0.1' }],
    ['with the origin of a sandbox', { origin: 'null' }],
    ['by a request that brings no origin', { 'sec-fetch-site': 'cross-site' }],
    ['by an address that a person typed', { 'sec-fetch-site': 'none' }],
  ])('rejects a page that reaches it %s on every route, also with a valid token', async (_, headers) => {
    const { served } = await startRunner();
    for (const [method, path] of [
      ['GET', '/health'],
      ['OPTIONS', '/health'],
      ['POST', '/turn'],
      ['POST', '/stop'],
      ['GET', '/nothing'],
    ] as const) {
      const answer = await call(served.port, method, path, { headers: { ...bearer(served), ...headers } });
      expect([path, answer.status]).toEqual([path, 403]);
      expect(answer.headers).not.toHaveProperty('access-control-allow-origin');
    }
    expect(
      (await call(served.port, 'GET', '/health', { headers: { ...bearer(served), host: 'localhost' } })).status,
    ).toBe(200);
  });

  it.each([
    ['is not JSON', '{', 'the request is not JSON'],
    ['is no object', '[]', 'the request is not a JSON object'],
    ['lacks a field', '{"turn_id":"t"}', 'number must be a whole number'],
  ])('names the problem of a request that %s', async (_, body, message) => {
    const { served } = await startRunner();
    expect(await call(served.port, 'POST', '/turn', { headers: bearer(served), body })).toMatchObject({
      status: 400,
      body: { error: { code: 'INVALID_ARGUMENT', message } },
    });
  });

  it('serves its callers while others hold as many connections as they can', async () => {
    const { served } = await startRunner();
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    atEnd(async () => agent.destroy());
    const known = await call(served.port, 'GET', '/health', { headers: bearer(served), agent });
    const silent = await Promise.all(Array.from({ length: 300 }, () => silentConnection(served.port)));
    await until(() => silent.filter(({ destroyed }) => destroyed).length === 300 - 128);
    expect(silent.findIndex(({ destroyed }) => !destroyed)).toBe(300 - 128);
    const again = await call(served.port, 'GET', '/health', { headers: bearer(served), agent });
    // The connection with the token is still the same.
    expect([known.status, again.status, again.localPort]).toEqual([200, 200, known.localPort]);
  });

  it('rejects a body beyond its limit', async () => {
    const { served } = await startRunner();
    const headers = { ...bearer(served), 'content-length': String(501 * 1_048_576) };
    expect(await call(served.port, 'POST', '/turn', { headers, body: '{' })).toMatchObject({
      status: 429,
      body: { error: { code: 'RESOURCE_EXHAUSTED' } },
    });
  });

  it('has no other calls', async () => {
    const { served } = await startRunner();
    expect((await call(served.port, 'POST', '/constructor', { headers: bearer(served) })).status).toBe(404);
    expect((await call(served.port, 'GET', '/turn', { headers: bearer(served) })).status).toBe(404);
  });

  it('reports the holder of a port, and rejects an invalid port', async () => {
    const { served } = await startRunner();
    const ask = (port: unknown): Promise<Answer> =>
      call(served.port, 'POST', '/port', { headers: bearer(served), body: JSON.stringify({ port }) });
    expect(await ask(served.port)).toMatchObject({ status: 200, body: { holder: 'inside' } });
    for (const port of [0, 65_536, 1.5, '80', null]) expect((await ask(port)).status).toBe(400);
  });

  it('rejects a journal position that is not a number', async () => {
    const { served } = await startRunner();
    expect((await call(served.port, 'GET', '/events?after=-1', { headers: bearer(served) })).status).toBe(400);
  });

  it('sends readers a blank line every second', async () => {
    const { served } = await startRunner();
    const { promise, resolve } = Promise.withResolvers<string>();
    const outgoing = request(
      { host: '127.0.0.1', port: served.port, path: '/events?after=0', headers: bearer(served) },
      (answer) => void answer.setEncoding('utf8').once('data', resolve),
    );
    outgoing.on('error', () => undefined);
    outgoing.end();
    expect(await promise).toBe('\n');
    outgoing.destroy();
  });

  it('stores its token and address readable by the caller only', async () => {
    const { paths } = await startRunner();
    for (const file of [paths.address, paths.config, paths.journal]) expect(statSync(file).mode & 0o077).toBe(0);
  });

  it('does not let a slow reader delay the others', async () => {
    const { served, client } = await startRunner();
    const outgoing = request(
      { host: '127.0.0.1', port: served.port, path: '/events?after=0', headers: bearer(served) },
      (answer) => answer.pause(),
    );
    outgoing.on('error', () => undefined);
    outgoing.end();
    await client.open({ repos: [], session_id: crypto.randomUUID(), backend: 'fake', env: {}, secret_names: [] });
    const text = 'y'.repeat(16_000);
    for (let turn = 0; turn < 40; turn++) {
      const prompt = `[[ {"text":"${text}"} ]]`;
      await client.turn({ turn_id: `t${turn}`, number: turn, prompt, inputs: [] });
      for await (const batch of clientOf(served).events(0, AbortSignal.timeout(60_000))) {
        if (batch.some(({ event }) => event.type === 'turn_complete' && event.turn_id === `t${turn}`)) break;
      }
    }
    outgoing.destroy();
  }, 60_000);
});
