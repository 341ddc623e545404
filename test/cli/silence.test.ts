// What a person reads while the server does not answer.
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, it } from '@jest/globals';
import { announceSilence } from '../../cli/silence.ts';
import { createClient } from '../../client/index.ts';

/** A server that leaves all requests to the caller. */
async function serve(onRequest: (response: ServerResponse) => void) {
  const server = createServer((_request, response) => onRequest(response));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${String((server.address() as AddressInfo).port)}`;
  const close = async (): Promise<void> => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  };
  return { url, [Symbol.asyncDispose]: close };
}

const answer = (response: ServerResponse, status: number, body: unknown): void => {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
};

it('a call without an answer says what does not answer, once, and still gets its answer', async () => {
  const held = Promise.withResolvers<ServerResponse>();
  await using server = await serve(held.resolve);
  const said: string[] = [];
  const told = Promise.withResolvers<void>();
  const tell = (text: string): void => {
    said.push(text);
    told.resolve();
  };
  const call = announceSilence(createClient({ url: server.url }), server.url, tell, 1).call('ls', {});
  const response = await held.promise;
  await told.promise;
  answer(response, 200, { agents: [] });
  expect(await call).toEqual({ agents: [] });
  expect(said).toEqual([`no answer from ${server.url} yet; still waiting, Ctrl-C gives up`]);
});

it('a heartbeat is no answer: the server sends it while Temporal is silent', async () => {
  const told = Promise.withResolvers<string>();
  await using server = await serve((response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' }).write(': open\n\n');
    void told.promise.then(() => response.end('event: result\ndata: "done"\n\n'));
  });
  const beats: string[] = [];
  const onHeartbeat = (): unknown => beats.push('');
  // Long enough for the heartbeat to come first, as on a real server.
  const client = announceSilence(createClient({ url: server.url }), server.url, told.resolve, 300);
  expect(await client.call('ls', {}, { onHeartbeat })).toBe('done');
  expect(await told.promise).toContain(`no answer from ${server.url} yet`);
  expect(beats.length).toBeGreaterThan(0);
});

it('a client reports the error of an attempt that it repeats', async () => {
  const full = { code: 'UNAVAILABLE', message: 'Temporal does not answer: the disk is full' };
  let attempts = 0;
  await using server = await serve((response) => {
    attempts += 1;
    if (attempts === 1) answer(response, 503, { error: full });
    else answer(response, 200, { agents: [] });
  });
  const errors: string[] = [];
  const onRetry = (error: Error): unknown => errors.push(error.message);
  await createClient({ url: server.url }).call('ls', {}, { onRetry });
  expect(errors).toEqual([full.message]);
});
