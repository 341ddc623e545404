// Limits of request bytes that the server holds in memory.
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { mintToken } from '../../drivers/tokens/token.ts';
import { startApi, type Api } from './fixtures/api.ts';
import { eventually } from '../fixtures/waiting.ts';

const LARGEST = 8 * 1024 * 1024;

let api: Api;
const sockets: Socket[] = [];
beforeAll(async () => {
  // No Temporal runs here: calls that need it wait this long.
  api = await startApi({ timing: { temporalCall: 2_000 } });
});
afterAll(async () => {
  for (const socket of sockets) socket.destroy();
  await api[Symbol.asyncDispose]();
});

async function agentToken(name: string): Promise<string> {
  const agent = `w/default/u/alice/${name}`;
  return await mintToken(api.parts.tokenStore, { id: name, account: 'alice', agent, created_at: '2026-01-01' });
}

function head(token: string, framing: string, path = '/v1/auth'): string {
  const lines = [`POST ${path} HTTP/1.1`, 'Host: localhost', `Authorization: Bearer ${token}`, framing];
  return `${lines.join('\r\n')}\r\nContent-Type: application/json\r\n\r\n`;
}

/** Sends the text and keeps the connection. */
function send(text: string): Socket {
  const { hostname, port } = new URL(api.url);
  const socket = connect(Number(port), hostname).on('error', () => undefined);
  sockets.push(socket);
  socket.write(text);
  return socket;
}

/** Status of a complete request of eight megabytes, which has an unknown field. */
async function largeStatus(token: string): Promise<number> {
  const headers = { authorization: `Bearer ${token}` };
  return (await api.post('/v1/auth', { headers, body: { pad: 'y'.repeat(LARGEST - 100) } })).status;
}

async function smallStatus(token: string): Promise<number> {
  return (await api.post('/v1/auth', { headers: { authorization: `Bearer ${token}` } })).status;
}

/** The answer to a request whose body is announced and never sent. */
async function answerToHead(token: string, bytes: number, path?: string): Promise<string> {
  const socket = send(head(token, `Content-Length: ${String(bytes)}`, path));
  const [answer] = (await once(socket, 'data')) as [Buffer];
  socket.destroy();
  return answer.toString();
}

/** Announces as much as an agent may, on connections that begin with `first`. Resolves once the server counts it. */
async function fill(token: string, first = ''): Promise<readonly Socket[]> {
  const held = [1, 2].map(() => send(`${first}${head(token, `Content-Length: ${String(LARGEST - 100_000)}`)}`));
  await eventually(async () => (await largeStatus(token)) === 429, 'large requests are answered with 429');
  return held;
}

test('large requests of an agent beyond its limit are rejected unread, and other callers are not affected', async () => {
  const token = await agentToken('large');
  const held = await fill(token);
  const answer = await answerToHead(token, LARGEST);
  expect(answer).toMatch(/^HTTP\/1.1 429 /);
  expect(answer).toMatch(/\r\nretry-after: 1\r\n/);
  expect(answer).toContain('"code":"RESOURCE_EXHAUSTED"');
  expect([await largeStatus(await agentToken('other')), await largeStatus(api.token)]).toEqual([400, 400]);
  expect(await smallStatus(token)).toBe(200);
  for (const socket of held) socket.destroy();
  await eventually(async () => (await largeStatus(token)) === 400, 'large requests are answered with 400');
});

test('requests that are queued behind an unanswered one no longer count after their connection closed', async () => {
  const token = await agentToken('pipelined');
  const held = await fill(token, `${head(token, 'Content-Length: 2', '/v1/ls')}{}`);
  for (const socket of held) socket.destroy();
  await eventually(async () => (await largeStatus(token)) === 400, 'large requests are answered with 400');
});

test('a body of unknown length counts with its actual length once it has arrived', async () => {
  const token = await agentToken('chunked');
  const chunked = (path: string): string => `${head(token, 'Transfer-Encoding: chunked', path)}2\r\n{}\r\n0\r\n\r\n`;
  for (let calls = 0; calls < 5; calls += 1) {
    send(chunked('/v1/ls'));
    const [answer] = (await once(send(chunked('/v1/auth')), 'data')) as [Buffer];
    expect(answer.toString()).toMatch(/^HTTP\/1.1 200 /);
  }
});

test('a request to an unknown route is answered before its body is read', async () => {
  expect(await answerToHead('mur_wrong', LARGEST, '/v1/nothing')).toMatch(/^HTTP\/1.1 404 /);
});

test("the body with a page's key is limited, because it needs no token", async () => {
  expect(await answerToHead('mur_wrong', 5_000, '/w/default/u/alice/x/.key')).toMatch(/^HTTP\/1.1 413 /);
});
