// Requests that the server rejects before any handler runs. Temporal is not needed here.
import { request as httpRequest } from 'node:http';
import { connect } from 'node:net';
import { once } from 'node:events';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { startApi } from './fixtures/api.ts';
import type { Api } from './fixtures/api.ts';

let api: Api;
beforeAll(async () => {
  api = await startApi({ timing: { requestArrival: 3_000 } });
});
afterAll(async () => {
  await api[Symbol.asyncDispose]();
});

/** fetch cannot set Host and Origin, so these requests use node:http. */
async function rawPost(
  headers: Record<string, string>,
  path = '/v1/version',
): Promise<{ status: number; body: string }> {
  const url = new URL(path, api.url);
  const request = httpRequest(url, {
    method: 'POST',
    headers: { authorization: `Bearer ${api.token}`, 'content-type': 'application/json', ...headers },
  });
  request.end('{}');
  const [response] = (await once(request, 'response')) as [NodeJS.ReadableStream & { statusCode: number }];
  const chunks: Buffer[] = [];
  for await (const chunk of response) chunks.push(Buffer.from(chunk as Buffer));
  return { status: response.statusCode, body: Buffer.concat(chunks).toString('utf8') };
}

function codeOf(body: unknown): string {
  return (body as { error: { code: string } }).error.code;
}

describe('token', () => {
  test('a call with a valid token is answered', async () => {
    const { status, body } = await api.post('/v1/auth');
    expect(status).toBe(200);
    expect(body).toEqual({
      account: 'alice',
      workspace: 'default',
      token: { source: 'test', created_at: '2026-01-01T00:00:00.000Z' },
    });
  });

  test.each([
    ['no token', {}],
    ['a wrong token', { authorization: 'Bearer mur_wrong' }],
    ['another scheme', { authorization: 'Basic bWU6bWU=' }],
    ['an empty bearer', { authorization: 'Bearer ' }],
  ])('a call with %s is rejected as UNAUTHENTICATED with the hint to run `murmur auth`', async (_name, headers) => {
    const response = await fetch(`${api.url}/v1/auth`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...(headers as Record<string, string>) },
      body: '{}',
    });
    expect(response.status).toBe(401);
    expect(response.headers.get('www-authenticate')).toBe('Bearer');
    expect(await response.json()).toMatchObject({ error: { code: 'UNAUTHENTICATED', hint: 'run `murmur auth`' } });
  });

  test('an expired token is rejected with its expiry time', async () => {
    await using expired = await startApi({ expiresAt: '2026-01-02T00:00:00.000Z' });
    const { status, body } = await expired.post('/v1/auth');
    expect(status).toBe(401);
    expect(body).toMatchObject({ error: { message: 'the token has expired at 2026-01-02T00:00:00.000Z' } });
  });

  test('an unauthenticated body of any announced size is not read', async () => {
    const response = await fetch(`${api.url}/v1/auth`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: 'x'.repeat(9_000_000),
    }).catch(() => undefined);
    // Node may close the connection while the rest is being sent. If there is an answer, it is the rejection.
    if (response !== undefined) expect(response.status).toBe(401);
  });
});

describe('host and origin', () => {
  test.each(['localhost', '127.0.0.1:80', '[::1]:7470', 'murmur.example', 'MURMUR.example:443'])(
    'the host %s is answered',
    async (host) => {
      expect((await rawPost({ host })).status).toBe(200);
    },
  );

  test.each(['evil.example', 'localhost.evil.example', '127.0.0.1.nip.io'])(
    'the host %p is rejected, so that no page can reach the server through its own domain',
    async (host) => {
      const { status, body } = await rawPost({ host });
      expect(status).toBe(403);
      expect(codeOf(JSON.parse(body))).toBe('PERMISSION_DENIED');
    },
  );

  test.each([
    ['a foreign page', { origin: 'https://evil.example' }],
    ['a sandboxed page', { origin: 'null' }],
    ['a page on another local port', { origin: 'http://127.0.0.1:1234' }],
    ['a no-cors request of a foreign page', { 'sec-fetch-site': 'cross-site' }],
    ['a page of a sibling domain', { 'sec-fetch-site': 'same-site' }],
  ])('%s is rejected with PERMISSION_DENIED', async (_name, headers) => {
    const { status, body } = await rawPost(headers);
    expect(status).toBe(403);
    expect(codeOf(JSON.parse(body))).toBe('PERMISSION_DENIED');
  });

  test('a preflight gets no permission', async () => {
    const response = await fetch(`${api.url}/v1/kill`, { method: 'OPTIONS' });
    expect(response.ok).toBe(false);
    expect(response.headers.get('access-control-allow-origin')).toBeNull();
  });

  test.each(['text/plain', 'application/x-www-form-urlencoded', 'multipart/form-data; boundary=x'])(
    'a body of type %s, which a page may send without a preflight, is rejected',
    async (type) => {
      const { status, body } = await api.post('/v1/auth', { headers: { 'content-type': type }, body: '{}' });
      expect(status).toBe(415);
      expect(codeOf(body)).toBe('INVALID_ARGUMENT');
    },
  );
});

describe('bodies', () => {
  test('a body above the limit is rejected with 413 and the limit', async () => {
    const { status, body } = await api.post('/v1/queue_add', {
      body: { slug: 'x', description: 'y'.repeat(9_000_000) },
    });
    expect(status).toBe(413);
    expect(body).toMatchObject({ error: { code: 'INVALID_ARGUMENT', details: { limit_bytes: 8_388_608 } } });
  });

  test.each(['{', '', 'null{', '{"__proto__": {"x": 1}}'])('the body %p is rejected as invalid JSON', async (text) => {
    const { status, body } = await api.post('/v1/auth', { body: text });
    expect(status).toBe(400);
    expect(body).toMatchObject({ error: { code: 'INVALID_ARGUMENT', message: 'the body is not valid JSON' } });
  });

  test.each(['[]', '"text"', '7'])('the body %p is rejected, because an input is an object', async (text) => {
    const { status, body } = await api.post('/v1/ls', { body: text });
    expect(status).toBe(400);
    expect(body).toMatchObject({ error: { code: 'INVALID_ARGUMENT' } });
  });

  test('a request that arrives too slowly is ended', async () => {
    const { port, hostname } = new URL(api.url);
    const socket = connect(Number(port), hostname);
    const closed = once(socket, 'close');
    socket.on('error', () => undefined);
    socket.resume();
    socket.write(
      `POST /v1/auth HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer ${api.token}\r\n` +
        'Content-Type: application/json\r\nContent-Length: 100\r\n\r\n{',
    );
    await closed;
  });
});

describe('input', () => {
  test('an unknown field is rejected with the nearest known one', async () => {
    const { status, body } = await api.post('/v1/queue_add', { body: { slug: 'x', descripton: 'y' } });
    expect(status).toBe(400);
    expect(body).toMatchObject({
      error: {
        code: 'INVALID_ARGUMENT',
        message: 'unknown field "descripton": did you mean "description"?',
        details: { field: 'descripton', nearest: 'description' },
      },
    });
  });

  test('an unknown field of a repository is reported with its path', async () => {
    const repos = [{ clone_url: 'https://git.example.com/a/b', base: 'main' }];
    const { body } = await api.post('/v1/spawn', { body: { slug: 'x', description: 'y', repos } });
    expect(body).toMatchObject({
      error: {
        message: 'unknown field "repos[0].base": did you mean "base_branch"?',
        hint: 'fields are clone_url, base_branch, branch',
      },
    });
  });

  test.each([
    ['wait', { slug: 'x', phase: 'runing' }, 'unknown phase "runing"', 'did you mean running?'],
    ['task_update', { slug: 'x', task_id: '1', status: 'dne' }, 'unknown task status "dne"', 'did you mean done?'],
    ['queue_strategy', { slug: 'x', strategy: 'ten' }, 'invalid strategy "ten"', 'use one of all, one, five'],
    [
      'spawn',
      { slug: 'x', description: 'y', on_idle: 'sleep' },
      'on_idle is "sleep": it needs one of keep_alive, terminate',
      'use one of keep_alive, terminate',
    ],
  ])('%s rejects an invalid value with a hint', async (operation, body, message, hint) => {
    const answer = await api.post(`/v1/${operation}`, { body });
    expect(answer.status).toBe(400);
    expect(answer.body).toMatchObject({ error: { code: 'INVALID_ARGUMENT', message, hint } });
  });

  test.each([
    ['kill', {}, 'slug required'],
    ['queue_add', { slug: 'x' }, 'description required'],
    ['queue_add', { slug: 'x', description: ' \n ' }, 'description required'],
    ['status', { slug: 7 }, 'slug must be a string'],
    ['ls', { all: 'yes' }, 'all is "yes": it needs a boolean'],
    ['spawn', { slug: 'x', description: 'y', purpose: 'z'.repeat(241) }, 'purpose has at most 240 characters'],
    ['task_create', { slug: 'x', subject: 'y', pattern: '*.go' }, 'pattern is only used with activate_when'],
  ])('%s %j is rejected: %s', async (operation, body, message) => {
    const answer = await api.post(`/v1/${operation}`, { body });
    expect(answer.status).toBe(400);
    expect(answer.body).toMatchObject({ error: { code: 'INVALID_ARGUMENT', message } });
  });

  test('an invalid slug is quoted as typed, with the rule', async () => {
    const { body } = await api.post('/v1/spawn', { body: { slug: 'Fix_Auth', description: 'y' } });
    expect(body).toMatchObject({
      error: {
        message:
          'slug "Fix_Auth" is not valid: it needs 1 to 63 lower-case letters, digits and hyphens, with a letter or digit at both ends',
      },
    });
  });

  test('the value of a secret is not in the error about its name', async () => {
    const { status, body } = await api.post('/v1/spawn', {
      body: { slug: 'x', description: 'y', secrets: { 'BAD-NAME': 'hunter2' } },
    });
    expect(status).toBe(400);
    expect(JSON.stringify(body)).toContain('BAD-NAME');
    expect(JSON.stringify(body)).not.toContain('hunter2');
  });

  test('an idempotency key that cannot be part of a store key is rejected', async () => {
    const { status, body } = await api.post('/v1/auth', { headers: { 'idempotency-key': '../../x' } });
    expect(status).toBe(400);
    expect(body).toMatchObject({ error: { details: { field: 'Idempotency-Key' } } });
  });
});

describe('answers', () => {
  test('an unknown operation is NOT_FOUND with the nearest one', async () => {
    const { status, body } = await api.post('/v1/queue-add');
    expect(status).toBe(404);
    expect(body).toMatchObject({ error: { code: 'NOT_FOUND', hint: 'did you mean POST /v1/queue_add?' } });
  });

  test('every answer forbids caching, framing and sniffing, and has the id of its request', async () => {
    const { headers } = await api.post('/v1/version');
    expect(Object.fromEntries(headers)).toMatchObject({
      'cache-control': 'no-store',
      'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
      'cross-origin-resource-policy': 'same-origin',
      'referrer-policy': 'no-referrer',
      'x-content-type-options': 'nosniff',
      'x-frame-options': 'DENY',
      'x-request-id': expect.stringMatching(/^[0-9a-f-]{36}$/),
    });
  });

  test('health and ready are answered without a token; ready names what is missing', async () => {
    const health = await fetch(`${api.url}/health`);
    expect(await health.json()).toEqual({ status: 'ok', version: '0.0.0-test' });
    const ready = await fetch(`${api.url}/ready`);
    expect(ready.status).toBe(503);
    expect(await ready.json()).toEqual({
      status: 'unavailable',
      checks: { temporal: 'Temporal does not answer', worker: 'unknown' },
    });
  });

  test('the log names operation, status and request, and never a token, a prompt or a secret', async () => {
    const { headers } = await api.post('/v1/spawn', {
      body: { slug: 'BAD', description: 'a private prompt', secrets: { FOO: 'hunter2' } },
    });
    const lines = api.logged.join('');
    expect(lines).toContain('"path":"/v1/spawn"');
    expect(lines).toContain(headers.get('x-request-id'));
    expect(lines).not.toContain(api.token);
    expect(lines).not.toContain('private prompt');
    expect(lines).not.toContain('hunter2');
  });
});
