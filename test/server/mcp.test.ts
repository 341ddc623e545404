// `POST /mcp` as HTTP: access, and requests that are rejected before a tool is called. test/mcp tests the tools
// themselves.
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { overHttp, overStdio, textOf } from '../mcp/fixtures/client.ts';
import { startApi } from './fixtures/api.ts';
import type { Api } from './fixtures/api.ts';

let api: Api;
beforeAll(async () => {
  api = await startApi();
});
afterAll(async () => {
  await api[Symbol.asyncDispose]();
});

const ACCEPT = { accept: 'application/json, text/event-stream' };
const LIST = { jsonrpc: '2.0', id: 1, method: 'tools/list' };

async function ask(init: {
  body?: unknown;
  headers?: Readonly<Record<string, string>>;
  method?: string;
}): Promise<Response> {
  const { body = LIST, headers = {}, method = 'POST' } = init;
  return await fetch(`${api.url}/mcp`, {
    method,
    headers: { 'content-type': 'application/json', authorization: `Bearer ${api.token}`, ...ACCEPT, ...headers },
    ...(method === 'GET' ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
  });
}

test('each request is independent: tools are listed without an earlier session', async () => {
  const response = await ask({});
  expect([response.status, response.headers.get('content-type')]).toEqual([200, 'text/event-stream']);
  expect(response.headers.get('mcp-session-id')).toBeNull();
  expect(response.headers.get('x-content-type-options')).toBe('nosniff');
  expect(await response.text()).toContain('"name":"queue_add"');
});

test("a call returns the operation's answer", async () => {
  await using mcp = await overHttp(api.url, api.token);
  const { structuredContent } = await mcp.call('version');
  expect(structuredContent).toEqual(await api.client.call('version', {}));
});

test.each<[string, Parameters<typeof ask>[0], number, string]>([
  ['no token', { headers: { authorization: '' } }, 401, 'UNAUTHENTICATED'],
  ['an unknown token', { headers: { authorization: 'Bearer mur_x' } }, 401, 'UNAUTHENTICATED'],
  ['a page of another site', { headers: { origin: 'https://evil.example' } }, 403, 'PERMISSION_DENIED'],
  ['a body that is not JSON', { body: '{"jsonrpc":' }, 400, 'INVALID_ARGUMENT'],
  ['a body in another format', { headers: { 'content-type': 'text/plain' } }, 415, 'INVALID_ARGUMENT'],
  ['an oversized body', { body: 'x'.repeat(9 * 1024 * 1024) }, 413, 'INVALID_ARGUMENT'],
])('%s is rejected', async (_what, init, status, code) => {
  const response = await ask(init);
  expect([response.status, await response.json()]).toEqual([status, { error: expect.objectContaining({ code }) }]);
});

test.each<[string, Parameters<typeof ask>[0], number]>([
  ['an invalid message', { body: { hello: 1 } }, 400],
  ['a client that does not accept event streams', { headers: { accept: 'application/json' } }, 406],
  ['a protocol version of another age', { headers: { 'mcp-protocol-version': '1999-01-01' } }, 400],
  ['listening without a call', { method: 'GET' }, 405],
  ['ending a session', { method: 'DELETE' }, 405],
])('%s is rejected with an error of the protocol', async (_what, init, status) => {
  expect((await ask(init)).status).toBe(status);
});

test("only the server over stdio can upload a person's file", async () => {
  const home = await mkdtemp(join(tmpdir(), 'murmur-mcp-'));
  await writeFile(join(home, 'report.html'), '<p>done</p>');
  try {
    await using mcp = await overStdio({ MURMUR_HOME: home, MURMUR_API_URL: api.url, MURMUR_TOKEN: api.token });
    const shared = await mcp.call('upload', { filename: 'report.html', path: join(home, 'report.html') });
    const url = textOf(shared);
    expect(shared.structuredContent).toEqual({ url });
    expect(await (await fetch(url)).text()).toBe('<p>done</p>');
  } finally {
    await rm(home, { recursive: true });
  }
  await using remote = await overHttp(api.url, api.token);
  const refused = await remote.call('upload', { filename: 'a', path: '/a' });
  expect(refused).toMatchObject({ isError: true, structuredContent: { error: { code: 'FAILED_PRECONDITION' } } });
});

test('the log names the called tool, but not its arguments', async () => {
  await using mcp = await overHttp(api.url, api.token);
  await mcp.call('spawn', { slug: 'x', description: 'a secret plan', out: 7 });
  const log = api.logged.join('');
  expect(log).toContain('"path":"/mcp"');
  expect(log).not.toContain('a secret plan');
  expect(log).not.toContain(api.token);
});
