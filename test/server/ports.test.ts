// Ports of agents' machines under URLs: what passes, what does not, and what is nobody's to share.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer as createHttpServer, get } from 'node:http';
import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';
import { connect, createServer } from 'node:net';
import type { AddressInfo, Socket } from 'node:net';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { createClient } from '../../client/index.ts';
import type { MurmurClient } from '../../client/index.ts';
import { createFakeProvider } from '../../drivers/machines/fake.ts';
import type { FakeProvider } from '../../drivers/machines/fake.ts';
import { mintToken } from '../../drivers/tokens/token.ts';
import { temporaryFolder } from '../drivers/temporary-folder.ts';
import { hasProved } from '../drivers/machines/proving.ts';
import { cleanUp, startRunner } from '../runner/fixture.ts';
import { startApi } from './fixtures/api.ts';
import type { Api } from './fixtures/api.ts';
import { knownAgents } from './fixtures/known-agents.ts';
import { answerSamples, startWebProgram } from './fixtures/web-program.ts';
import type { WebProgram } from './fixtures/web-program.ts';

const AGENT = 'w/default/u/alice/lead';
const MACHINE = 'murmur-0000000a';
const TOKEN_ID = `agent-${'0123'.repeat(6)}`;
/** Less than a test may take. */
const ANSWER_MS = 2_000;

const known = knownAgents();
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
    parts: { temporal: known.client, machines },
    timing: { requestArrival: 300, portAnswer: ANSWER_MS },
  });
  await startRunner({ folder: join(folder.path, MACHINE), machine: MACHINE });
  known.agents.set(AGENT, { machine: MACHINE });
  // As long as they are in earnest.
  const entry = { id: TOKEN_ID, account: 'alice', agent: AGENT, created_at: '2026-01-01' };
  agentToken = await mintToken(api.parts.tokenStore, entry);
  agent = createClient({ url: api.url, token: agentToken });
  program = await startWebProgram(answerSamples);
  base = await agent.call('port_url', { port: program.port });
});
afterAll(async () => {
  await api[Symbol.asyncDispose]();
  await program[Symbol.asyncDispose]();
  await cleanUp();
  await folder[Symbol.asyncDispose]();
});
beforeEach(() => {
  program.requests.length = 0;
});

describe('a port URL', () => {
  test('is the same for the same port, and holds 256 bits that nobody guesses', async () => {
    expect(base).toMatch(
      new RegExp(
        `^http://127.0.0.1:\\d+/ports/${String(program.port)}.${MACHINE}.${TOKEN_ID}-[0-9a-f]{16}.[\\w-]{43}/$`,
      ),
    );
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

describe('a port that a process of the machine does not hold', () => {
  async function reasonOf(url: string): Promise<readonly [number, string]> {
    const response = await fetch(url);
    return [response.status, await response.text()];
  }

  test('is not shared: neither one of another process, nor one on which nothing listens', async () => {
    await using other = await startOtherProcess();
    await expect(agent.call('port_url', { port: other.port })).rejects.toMatchObject({
      code: 'PERMISSION_DENIED',
      message: `port ${String(other.port)} is not held by the agent's machine ${MACHINE}`,
    });
    const port = await freePort();
    await expect(agent.call('port_url', { port })).rejects.toMatchObject({
      code: 'FAILED_PRECONDITION',
      message: `nothing listens on port ${String(port)} of machine ${MACHINE}`,
    });
  });

  test('is not connected to when it has changed hands since the URL was made', async () => {
    const server = createServer((socket) => socket.end()).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    const url = await agent.call('port_url', { port });
    server.close();
    await once(server, 'close');
    expect(await reasonOf(url)).toEqual([502, `Nothing listens on port ${String(port)} of machine ${MACHINE}.\n`]);
    await using other = await startOtherProcess(port);
    expect(await reasonOf(url)).toEqual([502, `Port ${String(port)} is not held by the agent's machine ${MACHINE}.\n`]);
    await once(new WebSocket(url.replace('http:', 'ws:')), 'error');
    expect(await other.connections()).toBe(0);
  });

  test('is told of when the runner is of an earlier version, which cannot tell', async () => {
    const name = 'murmur-0000000d';
    const id = 'w/default/u/alice/early';
    known.agents.set(id, { machine: name });
    await machines.create({ name, labels: { agent: id } });
    const early = createHttpServer((request, response) => {
      if (hasProved(request, response, 't')) return;
      const isHealth = request.url === '/health';
      const error = { code: 'NOT_FOUND', message: 'the runner has no POST /port' };
      response.writeHead(isHealth ? 200 : 404, { 'content-type': 'application/json' });
      response.end(JSON.stringify(isHealth ? { protocol: 1, machine: name, pid: 1 } : { error }));
    });
    early.listen(0, '127.0.0.1');
    await once(early, 'listening');
    const machine = await machines.connect(name);
    const { port } = early.address() as AddressInfo;
    await machine.put(
      join(machine.paths.runner, 'address.json'),
      JSON.stringify({ port, pid: 1, started: '', token: 't' }),
    );
    const entry = { id: 'agent-4', account: 'alice', agent: id, created_at: '2026-01-01' };
    const caller = createClient({ url: api.url, token: await mintToken(api.parts.tokenStore, entry) });
    await expect(caller.call('port_url', { port: program.port })).rejects.toMatchObject({
      code: 'FAILED_PRECONDITION',
      message: expect.stringMatching(/of an earlier version.*: it works from the next turn on$/),
    });
    early.closeAllConnections();
    early.close();
  });
});

describe('a URL ends', () => {
  interface Short {
    readonly id: string;
    readonly machine: string;
    readonly token: string;
    readonly url: string;
  }

  let count = 0;
  /** A machine of the agent's own, with a runner. */
  async function machineFor(id: string): Promise<string> {
    count += 1;
    const name = `murmur-0000010${String(count)}`;
    await machines.create({ name, labels: { agent: id } });
    await startRunner({ folder: join(folder.path, name), machine: name });
    return name;
  }

  /** An agent of its own, what it has shared, and its token's id. */
  async function short(slug: string): Promise<Short> {
    const id = `w/default/u/alice/${slug}`;
    const machine = await machineFor(id);
    known.agents.set(id, { machine });
    const token = `agent-${slug}`;
    const entry = { id: token, account: 'alice', agent: id, created_at: '2026-01-01' };
    const caller = createClient({ url: api.url, token: await mintToken(api.parts.tokenStore, entry) });
    return { id, machine, token, url: await caller.call('port_url', { port: program.port }) };
  }

  const ENDED = [404, 'This URL has ended with its agent.\n'];

  async function answerOf(url: string): Promise<readonly [number, string]> {
    const response = await fetch(url);
    return [response.status, await response.text()];
  }

  test('with the token that asked for it, and so does what runs over it, within about a second', async () => {
    const { token, url } = await short('revoked');
    const stream = await fetch(`${url}stream`);
    const socket = new WebSocket(url.replace('http:', 'ws:'));
    await once(socket, 'open');
    const closed = once(socket, 'close');
    await api.parts.tokenStore.delete(token);
    expect(await answerOf(`${url}page`)).toEqual(ENDED);
    await expect(stream.text()).rejects.toThrow();
    await closed;
  });

  test('with its agent', async () => {
    const { id, machine, url } = await short('ended');
    expect((await fetch(`${url}page`)).status).toBe(200);
    known.agents.set(id, { machine, ended: true });
    expect(await answerOf(`${url}page`)).toEqual(ENDED);
    // Nor is it another agent's that has the slug by now.
    known.agents.set(id, { machine: 'murmur-0000000e' });
    expect(await answerOf(`${url}page`)).toEqual(ENDED);
  });

  test('with the machine', async () => {
    const name = 'murmur-0000000c';
    const id = 'w/default/u/alice/lost';
    known.agents.set(id, { machine: name });
    await machines.create({ name, labels: { agent: id } });
    const { served } = await startRunner({ folder: join(folder.path, name), machine: name });
    const entry = { id: 'agent-2', account: 'alice', agent: id, created_at: '2026-01-01' };
    const caller = createClient({ url: api.url, token: await mintToken(api.parts.tokenStore, entry) });
    const url = await caller.call('port_url', { port: program.port });
    expect((await fetch(`${url}page`)).status).toBe(200);
    await served.stop();
    await machines.destroy(name);
    expect(await answerOf(url)).toEqual([502, `Machine ${name} is gone: its agent has ended.\n`]);
  });
});

describe('an answer that is not what HTTP has', () => {
  /** Listens on a port of the machine and sends these bytes to whoever connects; nothing, and no end, without any. */
  async function saying(bytes: string | undefined, end = true): Promise<AsyncDisposable & { readonly url: string }> {
    const sockets = new Set<Socket>();
    const server = createServer((socket) => {
      sockets.add(socket);
      socket.on('error', () => undefined);
      socket.once('data', () => {
        if (bytes !== undefined) socket.write(bytes, 'latin1');
        if (end) socket.end();
      });
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const url = await agent.call('port_url', { port: (server.address() as AddressInfo).port });
    return {
      url,
      [Symbol.asyncDispose]: async () => {
        for (const socket of sockets) socket.destroy();
        await new Promise((resolve) => server.close(resolve));
      },
    };
  }

  const BODY = 'Content-Length: 2\r\n\r\nok';
  const RELAYED = /^ok$/;
  const NONE = /gave no HTTP answer\.\n$/;
  const NO_STATUS = /answered with the status \d{3}, which HTTP does not have\.\n$/;

  test.each([
    ['status 000', `HTTP/1.1 000 Zero\r\n${BODY}`, 502, NO_STATUS],
    ['status 099', `HTTP/1.1 099 Low\r\n${BODY}`, 502, NO_STATUS],
    ['status 999', `HTTP/1.1 999 High\r\n${BODY}`, 999, RELAYED],
    ['status 1000', `HTTP/1.1 1000 Higher\r\n${BODY}`, 502, NONE],
    ['a status that is no number', `HTTP/1.1 abc\r\n${BODY}`, 502, NONE],
    [
      'a switch that nobody asked for',
      'HTTP/1.1 101 Switching\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n',
      502,
      NONE,
    ],
    ['an interim answer and no other', 'HTTP/1.1 103 Early Hints\r\n\r\n', 502, NONE],
    ['an empty reason', `HTTP/1.1 200 \r\n${BODY}`, 200, RELAYED],
    ['no reason', `HTTP/1.1 200\r\n${BODY}`, 200, RELAYED],
    ['a reason in another alphabet', `HTTP/1.1 200 \xd0\x94\xd0\xb0\r\n${BODY}`, 200, RELAYED],
    ['a reason with an umlaut', `HTTP/1.1 200 sch\xf6n\r\n${BODY}`, 200, RELAYED],
    ['a reason with a control character', `HTTP/1.1 200 a\x01b\x7f\r\n${BODY}`, 200, RELAYED],
    ['a reason with a NUL', `HTTP/1.1 200 a\x00b\r\n${BODY}`, undefined, undefined],
    ['a reason with a lone CR', `HTTP/1.1 200 a\rX-Evil: 1\r\n${BODY}`, undefined, undefined],
    ['a header value with a control character', `HTTP/1.1 200 OK\r\nX-A: a\x01b\r\n${BODY}`, undefined, undefined],
    ['a header value with a lone CR', `HTTP/1.1 200 OK\r\nX-A: a\rX-Evil: 1\r\n${BODY}`, undefined, undefined],
    ['a header name with a space', `HTTP/1.1 200 OK\r\nX A: b\r\n${BODY}`, undefined, undefined],
    ['a folded header', `HTTP/1.1 200 OK\r\nX-A: a\r\n X-Evil: 1\r\n${BODY}`, undefined, undefined],
    ['two lengths', `HTTP/1.1 200 OK\r\nContent-Length: 9\r\n${BODY}`, 502, NONE],
    ['a length and chunks', `HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n${BODY}`, undefined, undefined],
    ['no headers', 'HTTP/1.1 200 OK\r\n\r\nok', 200, RELAYED],
    ['more headers than node takes', `HTTP/1.1 200 OK\r\n${'X-A: b\r\n'.repeat(20_000)}`, 502, NONE],
    ['a head that is cut off', 'HTTP/1.1 200 OK\r\nX-A: b\r\n', 502, NONE],
    ['nothing', '', 502, NONE],
    ['another protocol', '220 not HTTP\r\n', 502, NONE],
  ])('is relayed or refused with a reason: %s', async (_what, bytes, status, body) => {
    await using program = await saying(bytes);
    const { headers, status: given, text: textOf } = await rawly(program.url);
    if (status !== undefined) expect([given, textOf]).toEqual([status, expect.stringMatching(body)]);
    else expect([200, 502]).toContain(given);
    expect(headers).not.toHaveProperty('x-evil');
    // The same as an answer to a WebSocket's handshake.
    await once(new WebSocket(program.url.replace('http:', 'ws:')), 'error');
    expect((await api.post('/v1/version')).status).toBe(200);
  });

  test('to the handshake of a WebSocket is refused when its head cannot be passed on', async () => {
    const head = 'HTTP/1.1 101 Switching\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n';
    for (const line of ['X-A: a\x01b', 'X-A: a\rX-Evil: 1', 'X-\xf6: a']) {
      await using program = await saying(`${head}${line}\r\n\r\n`);
      await once(new WebSocket(program.url.replace('http:', 'ws:')), 'error');
    }
    expect((await api.post('/v1/version')).status).toBe(200);
  });

  test('is not waited for for ever', async () => {
    await using silent = await saying(undefined, false);
    const limit = String(ANSWER_MS / 1_000);
    const handshake = once(new WebSocket(silent.url.replace('http:', 'ws:')), 'error');
    const response = await fetch(silent.url);
    expect([response.status, await response.text()]).toEqual([
      504,
      expect.stringMatching(`gave no answer within ${limit} s\\.\n$`),
    ]);
    await handshake;
  });

  test('that stops in the middle ends in the middle', async () => {
    await using cut = await saying('HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf');
    const response = await fetch(cut.url);
    expect(response.status).toBe(200);
    await expect(response.text()).rejects.toThrow();
  });
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
    for (const url of [`${base}none`, `${api.url}/ports/x/`]) await once(open(url), 'error');
  });

  test('is closed when the server stops', async () => {
    const { signer, tokenStore, tokens } = api.parts;
    await using second = await startApi({ parts: { temporal: known.client, machines, signer, tokenStore, tokens } });
    const socket = open(base.replace(api.url, second.url));
    await once(socket, 'open');
    const closed = once(socket, 'close');
    await second.app.close();
    await closed;
  });
});

/** An answer as it is, also one that `fetch` does not take; a bound for one that never comes. */
async function rawly(url: string): Promise<{ status: number; headers: IncomingHttpHeaders; text: string }> {
  const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
  const asked = get(url, { agent: false, signal: AbortSignal.timeout(10_000) }, resolve);
  asked.on('error', reject);
  const answer = await promise;
  return { status: answer.statusCode ?? 0, headers: answer.headers, text: await text(answer) };
}

/** Another process of this host that listens on a port: a service of the owner's. */
async function startOtherProcess(
  port = 0,
): Promise<AsyncDisposable & { readonly port: number; connections(): Promise<number> }> {
  const code = `let seen = 0; const server = require('node:net').createServer((socket) => { seen += 1; socket.destroy(); });
    server.listen(${String(port)}, '127.0.0.1', () => console.log(server.address().port));
    process.stdin.on('data', () => console.log(seen));`;
  const child = spawn(process.execPath, ['-e', code], { stdio: ['pipe', 'pipe', 'inherit'] });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const next = async (): Promise<number> => Number((await lines.next()).value);
  return {
    port: await next(),
    connections: async () => {
      child.stdin.write('\n');
      return await next();
    },
    [Symbol.asyncDispose]: async () => {
      child.kill('SIGKILL');
      await once(child, 'exit');
    },
  };
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}
