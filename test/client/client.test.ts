// The client against servers and networks that fail in various ways.
import { createServer } from 'node:net';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { describe, expect, jest, test } from '@jest/globals';
import { createClient } from '../../client/index.ts';
import { ERRORS } from '../../contract/wire/errors.ts';
import type { ErrorCode } from '../../contract/wire/errors.ts';
import { event, json, sse, startScripted } from './fixture.ts';

jest.setTimeout(60_000);

const UNAVAILABLE = json(503, { error: { code: 'UNAVAILABLE', message: 'not now', request_id: 'r' } });
const END = 'event: end\ndata: {}\n\n';

async function ids(stream: AsyncIterable<{ id: string }>): Promise<string[]> {
  const seen: string[] = [];
  for await (const { id } of stream) seen.push(id);
  return seen;
}

describe('call', () => {
  test('sends the input as JSON with token and idempotency key, and returns the answer', async () => {
    await using server = await startScripted(json(200, { cleared: 3 }));
    const client = createClient({ url: `${server.url}/`, token: 'mur_x' });
    expect(await client.call('clear_queue', { slug: 'a' })).toEqual({ cleared: 3 });
    expect(server.bodies).toEqual([{ slug: 'a' }]);
    expect(server.requests[0]).toMatchObject({
      authorization: 'Bearer mur_x',
      'content-type': 'application/json',
      'idempotency-key': expect.stringMatching(/^[0-9a-f-]{36}$/),
    });
  });

  test.each(Object.keys(ERRORS) as ErrorCode[])('an answer of %s becomes the same error', async (code) => {
    const error = { code, message: 'm', hint: 'h', details: { field: 'f' }, request_id: 'r' };
    await using server = await startScripted(json(ERRORS[code].http, { error }));
    const client = createClient({ url: server.url, retryForMs: 0 });
    await expect(client.call('version', {})).rejects.toMatchObject({
      name: 'MurmurError',
      code,
      message: 'm',
      hint: 'h',
      details: { field: 'f' },
    });
  });

  test('retries with the same key while the server is unavailable', async () => {
    await using server = await startScripted(UNAVAILABLE, UNAVAILABLE, json(200, { cleared: 0 }));
    const client = createClient({ url: server.url, retryForMs: 30_000 });
    expect(await client.call('clear_queue', { slug: 'a' })).toEqual({ cleared: 0 });
    expect(new Set(server.requests.map((headers) => headers['idempotency-key'])).size).toBe(1);
    expect(server.requests).toHaveLength(3);
  });

  test('retries after a connection broke before the answer', async () => {
    await using server = await startScripted(
      (_request, response) => response.destroy(),
      json(200, { slug: 'a', message: 'sent' }),
    );
    const client = createClient({ url: server.url, retryForMs: 30_000 });
    expect(await client.call('session_send', { slug: 'a', message: 'hi' })).toEqual({ slug: 'a', message: 'sent' });
    expect(server.requests[0]?.['idempotency-key']).toBe(server.requests[1]?.['idempotency-key']);
  });

  test('does not retry errors for which retries cannot help', async () => {
    await using server = await startScripted(
      json(404, { error: { code: 'NOT_FOUND', message: 'm', request_id: 'r' } }),
    );
    const client = createClient({ url: server.url });
    await expect(client.call('status', { slug: 'a' })).rejects.toMatchObject({ code: 'NOT_FOUND' });
    expect(server.requests).toHaveLength(1);
  });

  test('a missing server is UNAVAILABLE with the hint to run `murmur up`', async () => {
    const probe = createServer().listen(0, '127.0.0.1');
    await once(probe, 'listening');
    const { port } = probe.address() as AddressInfo;
    probe.close();
    const client = createClient({ url: `http://127.0.0.1:${String(port)}`, retryForMs: 0 });
    await expect(client.call('version', {})).rejects.toMatchObject({
      code: 'UNAVAILABLE',
      message: `cannot reach the API server at http://127.0.0.1:${String(port)}: connection refused`,
      hint: 'run `murmur up`',
    });
  });

  test('a rejected token causes an error with the hint to run `murmur auth`', async () => {
    await using server = await startScripted(
      json(401, { error: { code: 'UNAUTHENTICATED', message: 'the token is not known', request_id: 'r' } }),
    );
    await expect(createClient({ url: server.url }).call('version', {})).rejects.toMatchObject({
      code: 'UNAUTHENTICATED',
      hint: 'run `murmur auth`',
    });
  });

  test('another program at the address is reported as such', async () => {
    await using server = await startScripted((_request, response) => void response.writeHead(404).end('<html>'));
    const client = createClient({ url: server.url, retryForMs: 0 });
    await expect(client.call('version', {})).rejects.toMatchObject({
      code: 'UNAVAILABLE',
      message: `${server.url} is not a Murmur API server: it answered with HTTP status 404`,
    });
  });

  test('a redirect is not followed, because the token would be sent to another server', async () => {
    await using elsewhere = await startScripted(json(200, {}));
    await using server = await startScripted(
      (_request, response) => void response.writeHead(307, { location: elsewhere.url }).end(),
    );
    const client = createClient({ url: server.url, token: 'mur_x', retryForMs: 0 });
    await expect(client.call('version', {})).rejects.toMatchObject({ code: 'UNAVAILABLE' });
    expect(elsewhere.requests).toHaveLength(0);
  });

  test('ends with the reason of the signal', async () => {
    await using server = await startScripted(() => undefined);
    const abort = new AbortController();
    const called = createClient({ url: server.url }).call('version', {}, { signal: abort.signal });
    abort.abort(new Error('enough'));
    await expect(called).rejects.toThrow('enough');
  });
});

describe('call with progress', () => {
  test('reports progress and returns the result', async () => {
    await using server = await startScripted(
      sse('event: progress\ndata: {"phase":"running"}\n\nevent: result\ndata: {"phase":"idle"}\n\n'),
    );
    const progress: unknown[] = [];
    const client = createClient({ url: server.url });
    const status = await client.wait({ slug: 'a' }, { onProgress: (each) => progress.push(each) });
    expect(status).toEqual({ phase: 'idle' });
    expect(progress).toEqual([{ phase: 'running' }]);
  });

  test('retries when the answer breaks off or the server stops', async () => {
    await using server = await startScripted(
      sse('event: progress\ndata: {"phase":"running"}\n\n', 'break'),
      sse('event: reconnect\ndata: {}\n\n'),
      json(200, { phase: 'idle' }),
    );
    expect(await createClient({ url: server.url }).wait({ slug: 'a' })).toEqual({ phase: 'idle' });
    expect(server.requests).toHaveLength(3);
  });

  test('an error in the stream is thrown', async () => {
    await using server = await startScripted(
      sse('event: error\ndata: {"error":{"code":"NOT_FOUND","message":"gone","request_id":"r"}}\n\n'),
    );
    await expect(createClient({ url: server.url }).wait({ slug: 'a' })).rejects.toMatchObject({
      code: 'NOT_FOUND',
      message: 'gone',
    });
  });
});

describe('stream', () => {
  test('yields each event once and in order across breaks, resuming after the last', async () => {
    await using server = await startScripted(
      sse(event(1) + event(2), 'break'),
      sse(event(2) + event(3) + 'event: reconnect\ndata: {}\n\n'),
      sse(event(3) + event(4) + END),
    );
    const client = createClient({ url: server.url });
    expect(await ids(client.stream('watch', { slug: 'a' }))).toEqual(['1', '2', '3', '4']);
    expect(server.requests.map((headers) => headers['last-event-id'])).toEqual([undefined, '2', '3']);
  });

  test('an event that is split by the break is yielded once, complete', async () => {
    const [head, tail] = [event(2).slice(0, 20), event(2)];
    await using server = await startScripted(sse(event(1) + head, 'break'), sse(tail + END));
    expect(await ids(createClient({ url: server.url }).stream('watch', { slug: 'a' }))).toEqual(['1', '2']);
  });

  test('begins after `from`', async () => {
    await using server = await startScripted(sse(END));
    await ids(createClient({ url: server.url }).stream('session_watch', { slug: 'a' }, { from: '7' }));
    expect(server.bodies).toEqual([{ slug: 'a', from: '7' }]);
  });

  test('continues when the server is killed during the stream and restarted', async () => {
    await using server = await startScripted(sse(event(1), 'stay'), sse(event(2) + END));
    const seen: string[] = [];
    for await (const { id } of createClient({ url: server.url }).stream('watch', { slug: 'a' })) {
      seen.push(id);
      if (id !== '1') continue;
      await server.kill();
      await server.start();
    }
    expect(seen).toEqual(['1', '2']);
  });

  test('gives up after the time limit without data', async () => {
    await using server = await startScripted(sse(event(1), 'stay'));
    const client = createClient({ url: server.url, reconnectForMs: 200 });
    const stream = client.stream('watch', { slug: 'a' })[Symbol.asyncIterator]();
    await stream.next();
    await server.kill();
    await expect(stream.next()).rejects.toMatchObject({ code: 'UNAVAILABLE', hint: 'run `murmur up`' });
  });

  test('heartbeats are reported', async () => {
    await using server = await startScripted(sse(`: alive\n\n${END}`));
    let beats = 0;
    await ids(createClient({ url: server.url }).stream('watch', { slug: 'a' }, { onHeartbeat: () => (beats += 1) }));
    expect(beats).toBe(1);
  });

  test('ends with the reason of the signal, also between two events', async () => {
    await using server = await startScripted(sse(event(1), 'stay'));
    const abort = new AbortController();
    const stream = createClient({ url: server.url }).stream('watch', { slug: 'a' }, { signal: abort.signal });
    const iterator = stream[Symbol.asyncIterator]();
    await iterator.next();
    const next = iterator.next();
    abort.abort(new Error('enough'));
    await expect(next).rejects.toThrow('enough');
  });

  test('leaving the loop closes the connection', async () => {
    const closed = Promise.withResolvers<void>();
    await using server = await startScripted((request, response) => {
      response.on('close', () => closed.resolve());
      sse(event(1), 'stay')(request, response, '');
    });
    for await (const _event of createClient({ url: server.url }).stream('watch', { slug: 'a' })) break;
    await closed.promise;
  });
});
