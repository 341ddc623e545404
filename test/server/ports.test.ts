// Ports of agents' machines under URLs: what is relayed, and what is not.
import { once } from 'node:events';
import type { IncomingHttpHeaders } from 'node:http';
import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import type { MurmurClient } from '../../client/index.ts';
import { headersFromMachine } from '../../server/ports/relayed-headers.ts';
import type { FakeProvider } from '../../drivers/machines/fake.ts';
import { startApi } from './fixtures/api.ts';
import type { Api } from './fixtures/api.ts';
import type { KnownAgents } from './fixtures/known-agents.ts';
import { AGENT, MACHINE, portBench, TOKEN_ID } from './fixtures/port-bench.ts';
import type { PortBench } from './fixtures/port-bench.ts';
import type { WebProgram } from './fixtures/web-program.ts';

let bench: PortBench;
let known: KnownAgents;
let machines: FakeProvider;
let api: Api;
let agent: MurmurClient;
let program: WebProgram;
let base: string;
beforeAll(async () => {
  bench = await portBench();
  ({ known, machines, api, agent, program, base } = bench);
});
afterAll(async () => {
  await bench[Symbol.asyncDispose]();
});
beforeEach(() => {
  program.requests.length = 0;
});

describe('a port URL', () => {
  test('is the same for the same port, and contains 256 bits that cannot be guessed', async () => {
    expect(base).toMatch(
      new RegExp(
        `^http://127.0.0.1:\\d+/ports/${String(program.port)}.${MACHINE}.${TOKEN_ID}-[0-9a-f]{16}.[\\w-]{43}/$`,
      ),
    );
    expect(await agent.call('port_url', { port: program.port })).toBe(base);
  });

  test.each([0, 65_536, 3.5, -1, '3000', undefined])('is rejected for port %j with INVALID_ARGUMENT', async (port) => {
    await expect(agent.call('port_url', { port } as never)).rejects.toMatchObject({
      code: 'INVALID_ARGUMENT',
      message:
        port === undefined
          ? 'port required'
          : `port is ${JSON.stringify(port)}: it needs a whole number from 1 to 65535`,
    });
  });

  test('is for agents: a person and an ended agent get FAILED_PRECONDITION', async () => {
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
  ])('with %s is not found', async (_name, change) => {
    const response = await fetch(change());
    expect(response.status).toBe(404);
    expect(await response.text()).toBe('There is no such port.\n');
    expect(program.requests).toEqual([]);
  });
});

describe('a request', () => {
  test('is relayed with method, path, query, type and body, and its answer with status and body', async () => {
    const body = Buffer.alloc(300_000, 5);
    const url = `${base}echo?a=%2F&b=ü`;
    const response = await fetch(url, { method: 'PUT', body, headers: { 'content-type': 'nothing known' } });
    expect([response.status, response.statusText]).toEqual([201, 'Made']);
    expect(response.headers.get('content-type')).toBe('nothing known');
    expect(Buffer.from(await response.arrayBuffer()).equals(body)).toBe(true);
    expect(program.requests[0]).toMatchObject({ method: 'PUT', url: '/echo?a=%2F&b=%C3%BC' });
    expect(program.requests[0]?.headers).toMatchObject({ host: `localhost:${String(program.port)}` });
  });

  test('streams in both directions: the first bytes come back before the rest is sent', async () => {
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

  test('that the browser aborts is aborted on the machine', async () => {
    const gone = new AbortController();
    const response = await fetch(`${base}stream`, { signal: gone.signal });
    await response.body?.getReader().read();
    const [request] = program.requests;
    if (request === undefined) throw new Error('no request arrived');
    const closed = once(request.socket, 'close');
    gone.abort();
    await closed;
  });

  test('contains no token, no cookie and no URL that grants access', async () => {
    await fetch(`${base}echo`, {
      headers: {
        authorization: `Bearer ${api.token}`,
        cookie: 'of_another_server=1; murmur_page=secret',
        referer: `${base}x`,
        origin: 'null',
      },
    });
    const { headers } = program.requests[0] ?? {};
    expect(headers).toMatchObject({ origin: `http://localhost:${String(program.port)}` });
    for (const name of ['authorization', 'cookie', 'referer']) expect(headers).not.toHaveProperty(name);
  });

  test('contains headers that the page sets, but no password that a browser sends by itself', async () => {
    const settings = { ...api.parts.settings, hosts: [] };
    await using local = await startApi({ parts: { ...api.parts, settings } });
    const sent = async (authorization: string): Promise<IncomingHttpHeaders | undefined> => {
      await fetch(`${base.replace(api.url, local.url)}echo`, { headers: { authorization, 'x-csrf-token': 'mine' } });
      return program.requests.at(-1)?.headers;
    };
    expect(await sent('Bearer a-basic-b')).toMatchObject({ authorization: 'Bearer a-basic-b', 'x-csrf-token': 'mine' });
    for (const authorization of ['Basic amFuZTpw', 'digest username="jane"', 'Negotiate YII', 'NTLM TlR']) {
      expect(await sent(authorization)).not.toHaveProperty('authorization');
    }
    expect(program.requests).toHaveLength(5);
  });

  test('contains no headers of a proxy in front of the server', async () => {
    const ofProxy = {
      authorization: 'Bearer of-the-proxy',
      'cf-access-jwt-assertion': 'jwt',
      'cf-connecting-ip': '192.0.2.1',
      forwarded: 'for=192.0.2.1',
      'remote-user': 'jane',
      'tailscale-user-login': 'jane@example.com',
      'x-auth-request-email': 'jane@example.com',
      'x-forwarded-access-token': 'token',
      'x-forwarded-for': '192.0.2.1',
      'x-goog-authenticated-user-email': 'jane@example.com',
      'x-real-ip': '192.0.2.1',
    };
    await fetch(`${base}echo`, { headers: { ...ofProxy, 'x-forwarded-proto': 'https' } });
    const headers = program.requests[0]?.headers ?? {};
    expect(Object.keys(headers).filter((name) => name in ofProxy)).toEqual([]);
    expect(headers).toMatchObject({ 'x-forwarded-proto': 'https' });
  });

  test('from pages of other sites is relayed, while those to the API are rejected', async () => {
    const headers = { origin: 'https://evil.example', 'sec-fetch-site': 'cross-site' };
    expect((await fetch(`${base}page`, { headers })).status).toBe(200);
    expect((await api.post('/v1/version', { headers })).status).toBe(403);
    expect((await fetch(`${base}page`.replace('127.0.0.1', 'localhost'), { headers })).status).toBe(200);
  });

  test("without the slash after the token is redirected, and redirects of the program stay within the port's URL", async () => {
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
  test('runs in a sandbox without our origin, and sets no cookies there', async () => {
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

  test('does not make the browser ask for a password', () => {
    const answered = (challenge: string) =>
      headersFromMachine({ 'www-authenticate': challenge }, {}, 3000, '/ports/x')['www-authenticate'];
    for (const challenge of ['Basic realm="x"', 'Bearer, basic realm="x"', 'NEGOTIATE', 'Bearer x=1 NTLM']) {
      expect(answered(challenge)).toBeUndefined();
    }
    expect(answered('Bearer realm="x"')).toBe('Bearer realm="x"');
  });

  test('may be read by the sandboxed page itself, with a preflight if needed', async () => {
    const origin = { origin: 'null' };
    expect((await fetch(`${base}page`, { headers: origin })).headers.get('access-control-allow-origin')).toBe('null');
    const ask = { 'access-control-request-method': 'PUT', 'access-control-request-headers': 'x-mine' };
    const preflight = await fetch(`${base}page`, { method: 'OPTIONS', headers: { ...origin, ...ask } });
    expect(preflight.status).toBe(204);
    expect(preflight.headers.get('access-control-allow-methods')).toBe('PUT');
    expect((await fetch(`${base}page`)).headers.get('access-control-allow-origin')).toBeNull();
  });
});

describe('a WebSocket', () => {
  function open(url: string): WebSocket {
    return new WebSocket(url.replace('http:', 'ws:'));
  }

  test('is relayed in both directions', async () => {
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

  test('is rejected with a foreign host, like every request', async () => {
    const { hostname, port, pathname } = new URL(base);
    const socket = connect(Number(port), hostname);
    const head = [`GET ${pathname} HTTP/1.1`, 'Host: evil.example', 'Connection: Upgrade', 'Upgrade: websocket'];
    socket.write(`${head.join('\r\n')}\r\n\r\n`);
    expect(await text(socket)).toContain('403 Forbidden');
    expect(program.requests).toEqual([]);
  });

  test('is rejected with a reason if the program has none', async () => {
    for (const url of [`${base}none`, `${api.url}/ports/x/`]) await once(open(url), 'error');
  });

  test('is closed when the server stops', async () => {
    const { signer, tokenStore, tokens } = api.parts;
    await using second = await startApi({
      parts: { temporal: known.client, machines: { local: machines }, signer, tokenStore, tokens },
    });
    const socket = open(base.replace(api.url, second.url));
    await once(socket, 'open');
    const closed = once(socket, 'close');
    await second.app.close();
    await closed;
  });
});
