// Uploads: how they are received, their URLs, and the restrictions of their content.
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { createClient } from '../../client/index.ts';
import { mintToken } from '../../drivers/tokens/token.ts';
import { temporaryFolder } from '../drivers/temporary-folder.ts';
import { startApi } from './fixtures/api.ts';
import type { Api } from './fixtures/api.ts';
import { knownAgents } from './fixtures/known-agents.ts';

const AGENT = 'w/default/u/alice/lead';
const LIMIT = 1_000_000;

const known = knownAgents();
let api: Api;
let agentToken: string;
beforeAll(async () => {
  api = await startApi({ parts: { temporal: known.client }, timing: { uploadSilence: 300 } });
  known.agents.set(AGENT, {});
  agentToken = await mintToken(api.parts.tokenStore, {
    id: 'agent-1',
    account: 'alice',
    agent: AGENT,
    created_at: '2026-01-01',
  });
});
afterAll(async () => {
  await api[Symbol.asyncDispose]();
});

interface Put {
  readonly name?: string;
  readonly body?: string | Buffer;
  readonly headers?: Readonly<Record<string, string>>;
}

async function put({ name = 'a.txt', body = 'hello', headers = {} }: Put = {}): Promise<Response> {
  return await fetch(`${api.url}/v1/uploads/${encodeURIComponent(name)}`, {
    method: 'PUT',
    headers: { authorization: `Bearer ${api.token}`, ...headers },
    body: Buffer.from(body),
  });
}

async function uploaded(options: Put): Promise<string> {
  const response = await put(options);
  expect(response.status).toBe(200);
  return (await response.json()) as string;
}

async function messageOf(response: Response): Promise<string> {
  return ((await response.json()) as { error: { message: string } }).error.message;
}

describe('an upload', () => {
  test('is served unchanged under a URL with 192 random bits, without a token', async () => {
    const body = Buffer.from([0, 255, 13, 10, 128]);
    const url = await uploaded({ name: 'grün & blau.png', body });
    expect(url).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/uploads\/[\w-]{32}\/gr%C3%BCn%20%26%20blau\.png$/);
    const response = await fetch(url);
    expect(Buffer.from(await response.arrayBuffer())).toEqual(body);
    expect(response.headers.get('content-type')).toBe('image/png');
    expect((await fetch(url, { method: 'HEAD' })).headers.get('content-length')).toBe('5');
    expect(await uploaded({ name: 'grün & blau.png', body })).not.toBe(url);
  });

  test('has the same URL when it is repeated with its key', async () => {
    const headers = { 'idempotency-key': 'k1' };
    expect(await uploaded({ headers })).toBe(await uploaded({ headers }));
    expect(await uploaded({ headers, name: 'b.txt' })).not.toBe(await uploaded({ headers }));
  });

  test.each([
    ['a.txt', undefined, 'text/plain; charset=utf-8', 'inline'],
    ['a.html', undefined, 'text/html; charset=utf-8', 'inline'],
    ['a.svg', undefined, 'image/svg+xml', 'inline'],
    ['a.mp4', undefined, 'video/mp4', 'inline'],
    ['a.pdf', undefined, 'application/pdf', 'attachment'],
    ['a.exe', undefined, 'application/x-msdos-program', 'attachment'],
    ['no-ending', undefined, 'application/octet-stream', 'attachment'],
    ['a.bin', 'image/webp', 'image/webp', 'inline'],
  ])('%s given as %s is served as %s, %s', async (name, given, type, disposition) => {
    const url = await uploaded({ name, ...(given === undefined ? {} : { headers: { 'content-type': given } }) });
    const { headers } = await fetch(url);
    expect(headers.get('content-type')).toBe(type);
    expect(headers.get('content-disposition')).toMatch(new RegExp(`^${disposition}; filename=`));
  });

  test('can only be viewed in a browser', async () => {
    const { headers } = await fetch(await uploaded({ name: 'page.html', body: '<script>alert(1)</script>' }));
    expect(Object.fromEntries(headers)).toMatchObject({
      'content-security-policy': expect.stringMatching(/^sandbox; default-src 'none'; /),
      'x-content-type-options': 'nosniff',
      'referrer-policy': 'no-referrer',
      'x-frame-options': 'DENY',
      'cache-control': 'private, max-age=86400, immutable',
    });
    expect(headers.get('set-cookie')).toBeNull();
  });

  test('may be opened and embedded by pages of other sites, unlike the rest of the server', async () => {
    const headers = { 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'no-cors', 'sec-fetch-dest': 'image' };
    const response = await fetch(await uploaded({ name: 'a.png' }), { headers });
    expect(response.status).toBe(200);
    expect(response.headers.get('cross-origin-resource-policy')).toBe('cross-origin');
    expect((await put({ headers: { origin: 'https://evil.example' } })).status).toBe(403);
  });

  test('of an agent is in its timeline with its URL; one of a person is in none', async () => {
    known.signals.length = 0;
    await uploaded({});
    expect(known.signals).toEqual([]);
    const headers = { authorization: `Bearer ${agentToken}`, 'idempotency-key': 'k2' };
    const url = await uploaded({ name: 'report.html', body: 'four', headers });
    const note = { id: expect.stringMatching(/^k2-/), from: `/${AGENT}`, filename: 'report.html', url, bytes: 4 };
    expect(known.signals).toEqual([{ id: AGENT, name: 'upload', payload: note }]);
  });
});

describe('rejected without a stored object', () => {
  test.each([
    ['../../etc/passwd', 'filename "../../etc/passwd" is a path: it needs a name without / and \\'],
    ['a\\b', 'filename "a\\\\b" is a path: it needs a name without / and \\'],
    ['..', 'filename ".." is a folder'],
    [' ', 'filename " " is empty'],
    ['a\0b', 'filename "a\\u0000b" holds a control character'],
    ['a\r\nSet-Cookie: x', 'filename "a\\r\\nSet-Cookie: x" holds a control character'],
    ['gpj.\u202eexe', 'filename "gpj.\u202eexe" holds a control character'],
    ['x'.repeat(201), `filename "${'x'.repeat(80)}…" is longer than 200 characters`],
  ])('the name %j', async (name, message) => {
    const before = await api.parts.objects.list('');
    // An HTTP client would normalize a path of dots.
    const response = await rawPut(name);
    expect(response).toContain('400 Bad Request');
    expect((JSON.parse(response.slice(response.indexOf('{'))) as { error: unknown }).error).toMatchObject({
      code: 'INVALID_ARGUMENT',
      message,
    });
    expect(await api.parts.objects.list('')).toEqual(before);
  });

  test('a file above the limit, which the error names, with or without an announced length', async () => {
    const before = await api.parts.objects.list('');
    const told = await put({ body: Buffer.alloc(LIMIT + 1) });
    expect(told.status).toBe(400);
    expect(await messageOf(told)).toBe('the file is larger than 1 MB');
    const chunked = await fetch(`${api.url}/v1/uploads/a.txt`, {
      method: 'PUT',
      headers: { authorization: `Bearer ${api.token}` },
      body: new Blob([Buffer.alloc(LIMIT + 1)]).stream(),
      duplex: 'half',
    });
    expect(chunked.status).toBe(400);
    expect(await chunked.json()).toMatchObject({ error: { details: { limit_bytes: LIMIT } } });
    expect(await api.parts.objects.list('')).toEqual(before);
  });

  test('a file whose sender stalls', async () => {
    const before = await api.parts.objects.list('');
    expect(await rawPut('a.txt', { length: 100, body: 'half' })).not.toContain('200 OK');
    expect(await api.parts.objects.list('')).toEqual(before);
  });

  test.each(['text', 'text/html\tx', 'a/b; c', `text/${'x'.repeat(300)}`])('the content type %j', async (type) => {
    const response = await put({ headers: { 'content-type': type } });
    expect(response.status).toBe(400);
    expect(await messageOf(response)).toContain('content_type');
  });

  test('a sender without a token, with a wrong one, or of an agent that has ended', async () => {
    expect((await put({ headers: { authorization: '' } })).status).toBe(401);
    expect((await put({ headers: { authorization: 'Bearer mur_wrong' } })).status).toBe(401);
    known.agents.set(AGENT, { ended: true });
    expect((await put({ headers: { authorization: `Bearer ${agentToken}` } })).status).toBe(409);
    known.agents.set(AGENT, {});
  });

  test.each([
    ['another id', (url: string) => url.replace(/uploads\/./, 'uploads/!')],
    ['a guessed id', (url: string) => url.replace(/uploads\/[^/]+/, `uploads/${'A'.repeat(32)}`)],
    ['another name', (url: string) => url.replace('a.txt', 'b.txt')],
    ['a path', (url: string) => url.replace(/uploads\/[^/]+\/a.txt/, 'uploads/x/..%2f..%2fabout.json')],
  ])('a reader with %s', async (_name, change) => {
    const response = await fetch(change(await uploaded({})));
    expect(response.status).toBe(404);
    expect(await response.text()).toBe('There is no such upload.\n');
  });
});

describe('the client', () => {
  test('reads the file and sends it; the operation alone fails', async () => {
    await using folder = await temporaryFolder();
    const path = join(folder.path, 'big.bin');
    const content = Buffer.alloc(700_000, 7);
    await writeFile(path, content);
    const url = await api.client.call('upload', { filename: 'big.bin', path, content_type: 'image/png' });
    const response = await fetch(url);
    expect(response.headers.get('content-type')).toBe('image/png');
    expect(Buffer.from(await response.arrayBuffer()).equals(content)).toBe(true);
    const { status, body } = await api.post('/v1/upload', { body: { filename: 'big.bin', path } });
    expect(status).toBe(409);
    expect(body).toMatchObject({ error: { code: 'FAILED_PRECONDITION', hint: expect.stringContaining('murmur mcp') } });
  });

  test('sends an empty file', async () => {
    await using folder = await temporaryFolder();
    await writeFile(join(folder.path, 'empty'), '');
    const url = await api.client.call('upload', { filename: 'empty.txt', path: join(folder.path, 'empty') });
    expect(await (await fetch(url)).text()).toBe('');
  });

  test('gets the error for a file that is too large before it has sent all of it', async () => {
    await using folder = await temporaryFolder();
    const path = join(folder.path, 'huge');
    await writeFile(path, Buffer.alloc(20 * LIMIT));
    await expect(api.client.call('upload', { filename: 'huge', path })).rejects.toMatchObject({
      code: 'INVALID_ARGUMENT',
      message: 'the file is larger than 1 MB',
    });
  });

  test.each([
    ['relative', 'x.txt', 'INVALID_ARGUMENT', 'path "x.txt" is not absolute'],
    ['of nothing', '/nowhere/x', 'NOT_FOUND', 'there is no file /nowhere/x'],
    ['of a folder', '/tmp', 'INVALID_ARGUMENT', '/tmp is not a file'],
  ])('rejects a path %s', async (_what, path, code, message) => {
    await expect(api.client.call('upload', { filename: 'x', path })).rejects.toMatchObject({ code, message });
  });

  test('without a valid token is rejected before its file is read', async () => {
    await using folder = await temporaryFolder();
    const path = join(folder.path, 'a');
    await writeFile(path, 'x');
    const stranger = createClient({ url: api.url, token: 'mur_wrong', retryForMs: 0 });
    await expect(stranger.call('upload', { filename: 'a', path })).rejects.toMatchObject({ code: 'UNAUTHENTICATED' });
  });
});

/** The whole answer to a request that fetch cannot send. */
async function rawPut(name: string, { length = 5, body = 'hello' } = {}): Promise<string> {
  const { port, hostname } = new URL(api.url);
  const socket = connect(Number(port), hostname);
  socket.on('error', () => undefined);
  let answer = '';
  socket.setEncoding('utf8').on('data', (piece: string) => (answer += piece));
  const path = `/v1/uploads/${encodeURIComponent(name)}`;
  const head = [`PUT ${path} HTTP/1.1`, 'Host: localhost', `Authorization: Bearer ${api.token}`, 'Connection: close'];
  socket.write(`${head.join('\r\n')}\r\nContent-Length: ${String(length)}\r\n\r\n${body}`);
  await once(socket, 'close');
  return answer;
}
