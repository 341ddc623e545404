// One session with a transport in memory.
import { expect, test } from '@jest/globals';
import { InMemoryTransport } from '@modelcontextprotocol/sdk/inMemory.js';
import { describeTools } from '../../contract/mcp.ts';
import { MurmurError } from '../../contract/wire/errors.ts';
import { createSession } from '../../mcp/session/session.ts';
import type { SessionOptions } from '../../mcp/session/session.ts';
import { connect, textOf } from './fixtures/client.ts';
import type { McpClient } from './fixtures/client.ts';

async function sessionWith(options: Partial<SessionOptions>): Promise<McpClient> {
  const session = createSession({
    version: '1.2.3',
    tools: describeTools(),
    call: async () => await Promise.resolve({}),
    errorOf: (error) => new MurmurError('INTERNAL', String(error)),
    ...options,
  });
  const [ours, theirs] = InMemoryTransport.createLinkedPair();
  await session.server.connect(ours);
  return await connect(theirs);
}

test('reports its name and its instructions', async () => {
  await using mcp = await sessionWith({});
  expect(mcp.client.getServerVersion()).toEqual({ name: 'murmur', version: '1.2.3' });
  expect(mcp.client.getInstructions()).toContain('spawn');
  expect(mcp.client.getServerCapabilities()).toEqual({ tools: {} });
});

test('lists the tools with their descriptions', async () => {
  await using mcp = await sessionWith({});
  const { tools } = await mcp.client.listTools();
  expect(tools).toEqual(describeTools().map(({ answer: _answer, ...tool }) => tool));
});

test('an unknown tool is an error of the protocol that names the nearest', async () => {
  await using mcp = await sessionWith({});
  await expect(mcp.call('statsu', { slug: 'a' })).rejects.toMatchObject({
    code: -32602,
    message: expect.stringContaining('unknown tool "statsu": did you mean "status"?'),
  });
});

test.each([
  ['queue_add', { slug: 'a', descripton: 'x' }, 'unknown field "descripton": did you mean "description"?'],
  ['spawn', { slug: 'a', description: 'x', secrets: { A: 'b' } }, 'unknown field "secrets"'],
  ['kill', {}, 'slug required'],
] as const)('%s is rejected for %j before the call', async (name, input, message) => {
  let asked = false;
  await using mcp = await sessionWith({ call: async () => await Promise.resolve((asked = true)) });
  const result = await mcp.call(name, input);
  expect(result).toMatchObject({ isError: true, structuredContent: { error: { code: 'INVALID_ARGUMENT', message } } });
  expect(asked).toBe(false);
});

test("a defect is INTERNAL, with the transport's message", async () => {
  await using mcp = await sessionWith({ call: async () => await Promise.reject(new Error('boom')) });
  expect(textOf(await mcp.call('ls'))).toBe('INTERNAL: Error: boom');
});

test('a call without progress sends numbered heartbeats until it has ended', async () => {
  const end = Promise.withResolvers<object>();
  await using mcp = await sessionWith({ heartbeatMs: 5, call: async () => await end.promise });
  const told: unknown[] = [];
  const onprogress = (progress: unknown): void => {
    told.push(progress);
    if (told.length === 3) end.resolve({ phase: 'idle' });
  };
  await mcp.call('wait', { slug: 'a' }, { onprogress });
  expect(told.slice(0, 3)).toEqual([{ progress: 1 }, { progress: 2 }, { progress: 3 }]);
});

test('repeated progress is not sent again', async () => {
  await using mcp = await sessionWith({
    call: async (_name, _input, { onProgress }) => {
      for (const phase of ['starting', 'running', 'running', 'idle']) onProgress({ phase });
      return await Promise.resolve({});
    },
  });
  const told: unknown[] = [];
  await mcp.call('wait', { slug: 'a' }, { onprogress: ({ message }) => told.push(message) });
  expect(told).toEqual(['starting', 'running', 'idle']);
});

test('a call without a progress token gets no notifications', async () => {
  await using mcp = await sessionWith({
    heartbeatMs: 1,
    call: async (_name, _input, { onProgress }) => {
      onProgress({ phase: 'running' });
      return await Promise.resolve({});
    },
  });
  const unasked: unknown[] = [];
  mcp.client.fallbackNotificationHandler = async (notification) => void unasked.push(notification);
  await mcp.call('wait', { slug: 'a' });
  expect(unasked).toEqual([]);
});

test('a canceled call is aborted, and the next one is answered', async () => {
  const started = Promise.withResolvers<void>();
  const aborted = Promise.withResolvers<void>();
  await using mcp = await sessionWith({
    call: async (name, _input, { signal }) => {
      if (name !== 'wait') return {};
      started.resolve();
      await new Promise((resolve) => signal.addEventListener('abort', resolve));
      aborted.resolve();
      throw signal.reason;
    },
  });
  const cancel = new AbortController();
  const call = mcp.call('wait', { slug: 'a' }, { signal: cancel.signal });
  await started.promise;
  cancel.abort('enough');
  await expect(call).rejects.toThrow('enough');
  await aborted.promise;
  expect((await mcp.call('version')).structuredContent).toEqual({});
});
