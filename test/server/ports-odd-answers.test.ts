// Invalid HTTP answers of a program on a port: they are relayed or rejected, and never end the server.
import { once } from 'node:events';
import { get } from 'node:http';
import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';
import { createServer } from 'node:net';
import type { AddressInfo, Socket } from 'node:net';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { ANSWER_MS, portBench } from './fixtures/port-bench.ts';
import type { PortBench } from './fixtures/port-bench.ts';

let bench: PortBench;
beforeAll(async () => {
  bench = await portBench();
});
afterAll(async () => {
  await bench[Symbol.asyncDispose]();
});

describe('an invalid HTTP answer', () => {
  /**
   * Listens on a port of the machine and sends these bytes on each connection. Without bytes, sends nothing and no end.
   */
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
    const url = await bench.agent.call('port_url', { port: (server.address() as AddressInfo).port });
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
      'an upgrade without a request for it',
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
    ['more headers than Node accepts', `HTTP/1.1 200 OK\r\n${'X-A: b\r\n'.repeat(20_000)}`, 502, NONE],
    ['a head that is cut off', 'HTTP/1.1 200 OK\r\nX-A: b\r\n', 502, NONE],
    ['nothing', '', 502, NONE],
    ['another protocol', '220 not HTTP\r\n', 502, NONE],
  ])('is relayed or rejected with a reason: %s', async (_what, bytes, status, body) => {
    await using program = await saying(bytes);
    const { headers, status: given, text: textOf } = await rawRequest(program.url);
    if (status !== undefined) expect([given, textOf]).toEqual([status, expect.stringMatching(body)]);
    else expect([200, 502]).toContain(given);
    expect(headers).not.toHaveProperty('x-evil');
    // The same bytes as the answer to a WebSocket handshake.
    await once(new WebSocket(program.url.replace('http:', 'ws:')), 'error');
    expect((await bench.api.post('/v1/version')).status).toBe(200);
  });

  test('to the handshake of a WebSocket is refused when its head cannot be passed on', async () => {
    const head = 'HTTP/1.1 101 Switching\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n';
    for (const line of ['X-A: a\x01b', 'X-A: a\rX-Evil: 1', 'X-\xf6: a']) {
      await using program = await saying(`${head}${line}\r\n\r\n`);
      await once(new WebSocket(program.url.replace('http:', 'ws:')), 'error');
    }
    expect((await bench.api.post('/v1/version')).status).toBe(200);
  });

  test('that never comes ends after a time limit', async () => {
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

  test('that breaks off breaks off for the browser too', async () => {
    await using cut = await saying('HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf');
    const response = await fetch(cut.url);
    expect(response.status).toBe(200);
    await expect(response.text()).rejects.toThrow();
  });
});

/** An answer as it is, also one that `fetch` does not take; a bound for one that never comes. */
async function rawRequest(url: string): Promise<{ status: number; headers: IncomingHttpHeaders; text: string }> {
  const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
  const asked = get(url, { agent: false, signal: AbortSignal.timeout(10_000) }, resolve);
  asked.on('error', reject);
  const answer = await promise;
  return { status: answer.statusCode ?? 0, headers: answer.headers, text: await text(answer) };
}
