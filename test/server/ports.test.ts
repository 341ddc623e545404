// Ports of agents' machines under URLs: what passes, what does not, and what is nobody's to share.
import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { createClient } from '../../client/index.ts';
import type { MurmurClient } from '../../client/index.ts';
import { createFakeProvider } from '../../drivers/machines/fake.ts';
import type { FakeProvider } from '../../drivers/machines/fake.ts';
import { mintToken } from '../../drivers/tokens/token.ts';
import { temporaryFolder } from '../drivers/temporary-folder.ts';
import { startApi } from './fixtures/api.ts';
import type { Api } from './fixtures/api.ts';
import { knownAgents } from './fixtures/known-agents.ts';
import { answerSamples, startWebProgram } from './fixtures/web-program.ts';
import type { WebProgram } from './fixtures/web-program.ts';

const AGENT = 'w/default/u/alice/lead';
const MACHINE = 'murmur-0000000a';

const known = knownAgents();
const control = new Set<number>();
let folder: Awaited<ReturnType<typeof temporaryFolder>>;
let machines: FakeProvider;
let api: Api;
let agent: MurmurClient;
let agentToken: string;
let program: WebProgram;
let base: string;
beforeAll(async () => {
  folder = await temporaryFolder();
  machines = createFakeProvider(folder.path);
  await machines.create({ name: MACHINE, labels: { agent: AGENT } });
  api = await startApi({
    parts: { temporal: known.client, machines, controlPorts: () => control },
    timing: { requestArrival: 300 },
  });
  known.agents.set(AGENT, { machine: MACHINE });
  const entry = { id: 'agent-1', account: 'alice', agent: AGENT, created_at: '2026-01-01' };
  agentToken = await mintToken(api.parts.tokenStore, entry);
  agent = createClient({ url: api.url, token: agentToken });
  program = await startWebProgram(answerSamples);
  base = await agent.call('port_url', { port: program.port });
});
afterAll(async () => {
  await api[Symbol.asyncDispose]();
  await program[Symbol.asyncDispose]();
  await folder[Symbol.asyncDispose]();
});
beforeEach(() => {
  program.requests.length = 0;
});

describe('a port URL', () => {
  test('is the same for the same port, and holds 256 bits that nobody guesses', async () => {
    expect(base).toMatch(new RegExp(`^http://127.0.0.1:\\d+/ports/${String(program.port)}.${MACHINE}.[\\w-]{43}/$`));
    expect(await agent.call('port_url', { port: program.port })).toBe(base);
  });

  test.each([0, 65_536, 3.5, -1, '3000', undefined])('is refused for port %j with INVALID_ARGUMENT', async (port) => {
    await expect(agent.call('port_url', { port } as never)).rejects.toMatchObject({
      code: 'INVALID_ARGUMENT',
      message:
        port === undefined
          ? 'port required'
          : `port is ${JSON.stringify(port)}: it needs a whole number from 1 to 65535`,
    });
  });

  test('is for agents: a person gets FAILED_PRECONDITION, and so does an agent that has ended', async () => {
    await expect(api.client.call('port_url', { port: 3000 })).rejects.toMatchObject({ code: 'FAILED_PRECONDITION' });
    known.agents.set(AGENT, { machine: MACHINE, ended: true });
    await expect(agent.call('port_url', { port: 3000 })).rejects.toMatchObject({ code: 'FAILED_PRECONDITION' });
    known.agents.set(AGENT, { machine: MACHINE });
  });

  test.each([
    ['another signature', () => base.replace(/[\w-]\/$/, (end) => (end.startsWith('A') ? 'B/' : 'A/'))],
    ['another port', () => base.replace(`/${String(program.port)}.`, '/22.')],
    ['another machine', () => base.replace(MACHINE, 'murmur-0000000b')],
    ['no form at all', () => `${api.url}/ports/x/`],
  ])('with %s leads nowhere', async (_name, change) => {
    const response = await fetch(change());
    expect(response.status).toBe(404);
    expect(await response.text()).toBe('There is no such port.\n');
    expect(program.requests).toEqual([]);
  });
});

describe('a request', () => {
  test('passes with method, path, query, type and body, and its answer with status and body', async () => {
    const body = Buffer.alloc(300_000, 5);
    const url = `${base}echo?a=%2F&b=ü`;
    const response = await fetch(url, { method: 'PUT', body, headers: { 'content-type': 'nothing known' } });
    expect([response.status, response.statusText]).toEqual([201, 'Made']);
    expect(response.headers.get('content-type')).toBe('nothing known');
    expect(Buffer.from(await response.arrayBuffer()).equals(body)).toBe(true);
    expect(program.requests[0]).toMatchObject({ method: 'PUT', url: '/echo?a=%2F&b=%C3%BC' });
    expect(program.requests[0]?.headers).toMatchObject({ host: `localhost:${String(program.port)}` });
  });

  test('streams both ways: the first words come back while the rest is not sent', async () => {
    const { readable, writable } = new TransformStream<Uint8Array, Uint8Array>();
    const writer = writable.getWriter();
    const asked = fetch(`${base}echo`, { method: 'DELETE', body: readable, duplex: 'half' });
    await writer.write(Buffer.from('one'));
    const response = await asked;
    const reader = response.body?.getReader();
    expect(Buffer.from((await reader?.read())?.value ?? []).toString()).toBe('one');
    await writer.write(Buffer.from('two'));
    expect(Buffer.from((await reader?.read())?.value ?? []).toString()).toBe('two');
    await writer.close();
    expect((await reader?.read())?.done).toBe(true);
  });

  test('that the browser gives up is given up on the machine', async () => {
    const gone = new AbortController();
    const response = await fetch(`${base}stream`, { signal: gone.signal });
    await response.body?.getReader().read();
    const [request] = program.requests;
    if (request === undefined) throw new Error('no request arrived');
    const closed = once(request.socket, 'close');
    gone.abort();
    await closed;
  });

  test('carries no token, no cookie of ours and no address that is a key', async () => {
    await fetch(`${base}echo`, {
      headers: {
        authorization: `Bearer ${api.token}`,
        cookie: 'theirs=1; murmur_page=secret',
        referer: `${base}x`,
        origin: 'null',
      },
    });
    const { headers } = program.requests[0] ?? {};
    expect(headers).toMatchObject({ cookie: 'theirs=1', origin: `http://localhost:${String(program.port)}` });
    expect(headers).not.toHaveProperty('authorization');
    expect(headers).not.toHaveProperty('referer');
    await fetch(`${base}echo`, { headers: { authorization: 'Bearer of-the-program' } });
    expect(program.requests[1]?.headers).toMatchObject({ authorization: 'Bearer of-the-program' });
  });

  test('from pages of other sites passes, while those to the API stay refused', async () => {
    const headers = { origin: 'https://evil.example', 'sec-fetch-site': 'cross-site' };
    expect((await fetch(`${base}page`, { headers })).status).toBe(200);
    expect((await api.post('/v1/version', { headers })).status).toBe(403);
    expect((await fetch(`${base}page`.replace('127.0.0.1', 'localhost'), { headers })).status).toBe(200);
  });

  test('without the slash after the token is led to it, and redirects of the program stay in the port', async () => {
    const options = { redirect: 'manual' } as const;
    const bare = await fetch(`${base.slice(0, -1)}?x=1`, options);
    expect([bare.status, new URL(bare.headers.get('location') ?? '', base).href]).toEqual([308, `${base}?x=1`]);
    const moved = await fetch(`${base}moved`, options);
    expect(moved.headers.get('location')).toBe(`${new URL(base).pathname}login?x=1`);
    const far = await fetch(`${base}moved-far`, options);
    expect(far.headers.get('location')).toBe('https://elsewhere.example/x');
  });
});

describe('an answer', () => {
  test('is held in a sandbox without our origin, and sets nothing there', async () => {
    const { headers } = await fetch(`${base}page`);
    const policy = headers.get('content-security-policy') ?? '';
    expect(policy).toMatch(/^default-src 'self', sandbox allow-scripts /);
    expect(policy).not.toContain('allow-same-origin');
    for (const name of ['set-cookie', 'clear-site-data', 'service-worker-allowed', 'strict-transport-security']) {
      expect([name, headers.get(name)]).toEqual([name, null]);
    }
    expect(headers.get('x-own')).toBe('kept');
    expect(headers.get('referrer-policy')).toBe('no-referrer');
  });

  test('may be read by the sandboxed page itself, with a preflight where the browser wants one', async () => {
    const origin = { origin: 'null' };
    expect((await fetch(`${base}page`, { headers: origin })).headers.get('access-control-allow-origin')).toBe('null');
    const ask = { 'access-control-request-method': 'PUT', 'access-control-request-headers': 'x-mine' };
    const preflight = await fetch(`${base}page`, { method: 'OPTIONS', headers: { ...origin, ...ask } });
    expect(preflight.status).toBe(204);
    expect(preflight.headers.get('access-control-allow-methods')).toBe('PUT');
    expect((await fetch(`${base}page`)).headers.get('access-control-allow-origin')).toBeNull();
  });
});

describe('a port on which there is nothing', () => {
  async function reasonOf(url: string): Promise<readonly [number, string]> {
    const response = await fetch(url);
    return [response.status, await response.text()];
  }

  test('answers 502 with the reason', async () => {
    const free = await freePort();
    expect(await reasonOf(await agent.call('port_url', { port: free }))).toEqual([
      502,
      `Nothing listens on port ${String(free)} of machine ${MACHINE}.\n`,
    ]);
  });

  test('answers 502 when what listens does not speak HTTP', async () => {
    const server = createServer((socket) => socket.end('220 not HTTP\r\n'));
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    expect(await reasonOf(await agent.call('port_url', { port }))).toEqual([
      502,
      `What listens on port ${String(port)} gave no HTTP answer.\n`,
    ]);
    server.close();
  });

  test('answers 502 when the machine is gone: the URL has died with the agent', async () => {
    known.agents.set('w/default/u/alice/short', { machine: 'murmur-0000000c' });
    await machines.create({ name: 'murmur-0000000c', labels: { agent: 'w/default/u/alice/short' } });
    const entry = { id: 'agent-2', account: 'alice', agent: 'w/default/u/alice/short', created_at: '2026-01-01' };
    const short = createClient({ url: api.url, token: await mintToken(api.parts.tokenStore, entry) });
    const url = await short.call('port_url', { port: program.port });
    expect((await fetch(`${url}page`)).status).toBe(200);
    await machines.destroy('murmur-0000000c');
    expect(await reasonOf(url)).toEqual([502, 'Machine murmur-0000000c is gone: its agent has ended.\n']);
  });
});

test('ports of Murmur itself are refused, when the URL is asked for and when it is used', async () => {
  const port = await freePort();
  const url = await agent.call('port_url', { port });
  control.add(port);
  await expect(agent.call('port_url', { port })).rejects.toMatchObject({ code: 'PERMISSION_DENIED' });
  expect(await (await fetch(url)).text()).toBe(`Port ${String(port)} is used by Murmur itself.\n`);
  await using fresh = await temporaryFolder();
  const others = createFakeProvider(fresh.path);
  await others.create({ name: MACHINE, labels: {} });
  const machine = await others.connect(MACHINE);
  await machine.put(join(machine.paths.runner, 'address.json'), JSON.stringify({ port: 41_001 }));
  await machine.put(join(machine.paths.runner, 'relay.json'), JSON.stringify({ port: 41_002 }));
  const { tokenStore, tokens } = api.parts;
  await using second = await startApi({ parts: { temporal: known.client, machines: others, tokenStore, tokens } });
  const other = createClient({ url: second.url, token: agentToken });
  for (const runner of [41_001, 41_002]) {
    await expect(other.call('port_url', { port: runner })).rejects.toMatchObject({ code: 'PERMISSION_DENIED' });
  }
});

describe('a WebSocket', () => {
  function open(url: string): WebSocket {
    return new WebSocket(url.replace('http:', 'ws:'));
  }

  test('passes, and what is said on it comes back', async () => {
    const socket = open(`${base}socket?x=1`);
    await once(socket, 'open');
    socket.send('hello');
    const [message] = (await once(socket, 'message')) as [{ readonly data: unknown }];
    expect(message.data).toBe('hello');
    expect(program.requests[0]?.url).toBe('/socket?x=1');
    const closed = once(socket, 'close');
    socket.close();
    await closed;
  });

  test('is refused under a foreign host, as every request is', async () => {
    const { hostname, port, pathname } = new URL(base);
    const socket = connect(Number(port), hostname);
    const head = [`GET ${pathname} HTTP/1.1`, 'Host: evil.example', 'Connection: Upgrade', 'Upgrade: websocket'];
    socket.write(`${head.join('\r\n')}\r\n\r\n`);
    expect(await text(socket)).toContain('403 Forbidden');
    expect(program.requests).toEqual([]);
  });

  test('is refused with a reason where there is none', async () => {
    for (const url of [
      `${base}none`,
      `${api.url}/ports/x/`,
      await agent.call('port_url', { port: await freePort() }),
    ]) {
      await once(open(url), 'error');
    }
  });

  test('is closed when the server stops', async () => {
    await using second = await startApi({ parts: { temporal: known.client, machines, signer: api.parts.signer } });
    const socket = open(base.replace(api.url, second.url));
    await once(socket, 'open');
    const closed = once(socket, 'close');
    await second.app.close();
    await closed;
  });
});

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}
