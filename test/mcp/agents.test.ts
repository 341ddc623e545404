// The tools as a client's model uses them, over stdio and over HTTP, against the real API server with a stub workflow
// as the agent.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { mintToken } from '../../drivers/tokens/token.ts';
import { ACCOUNT, startApi } from '../server/fixtures/api.ts';
import type { Api } from '../server/fixtures/api.ts';
import type { Become, Received } from '../server/fixtures/stub-agent.ts';
import { startStubWorker } from '../server/fixtures/stub-worker.ts';
import { startTemporalServer } from '../fixtures/temporal-server.ts';
import type { TemporalServer } from '../fixtures/temporal-server.ts';
import { overHttp, overStdio, textOf } from './fixtures/client.ts';
import type { McpClient } from './fixtures/client.ts';

jest.setTimeout(60_000);

let home: string;
let temporal: TemporalServer;
let worker: AsyncDisposable;
let api: Api;
beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), 'murmur-mcp-'));
  temporal = await startTemporalServer();
  worker = await startStubWorker(temporal.address);
  const timing = { query: 15_000, update: 30_000, recheck: 1_000, plainAnswer: 20, heartbeat: 50 };
  api = await startApi({ temporal: temporal.address, timing });
}, 180_000);
afterAll(async () => {
  await api[Symbol.asyncDispose]();
  await worker[Symbol.asyncDispose]();
  await temporal[Symbol.asyncDispose]();
  await rm(home, { recursive: true, force: true });
});

function handleOf(slug: string): { query: () => Promise<Received>; become: (state: Become) => Promise<void> } {
  const handle = api.parts.temporal.workflow.getHandle(`w/default/u/${ACCOUNT}/${slug}`);
  return {
    query: async () => await handle.query<Received>('received'),
    become: async (state) => await handle.signal('become', state),
  };
}

describe.each(['stdio', 'http'] as const)('over %s', (transport) => {
  let mcp: McpClient;
  const connect = async (): Promise<McpClient> =>
    transport === 'http'
      ? await overHttp(api.url, api.token)
      : await overStdio({ MURMUR_HOME: home, MURMUR_API_URL: api.url, MURMUR_TOKEN: api.token });
  beforeAll(async () => {
    mcp = await connect();
  });
  afterAll(async () => {
    await mcp[Symbol.asyncDispose]();
  });
  const slug = `fix-${transport}`;

  test('an agent is spawned, gets a follow-up, shows its checklist and is killed', async () => {
    const spawned = await mcp.call('spawn', { slug, description: 'Fix it', tasks: ['run the tests'] });
    expect(spawned.structuredContent).toMatchObject({ slug, workspace: 'default', phase: 'starting' });
    expect(JSON.parse(textOf(spawned))).toEqual(spawned.structuredContent);
    expect((await handleOf(slug).query()).spec).toMatchObject({ prompt: { text: 'Fix it' }, created_by: ACCOUNT });

    const listed = await mcp.call('ls');
    expect(listed.structuredContent).toMatchObject({
      agents: expect.arrayContaining([expect.objectContaining({ slug })]),
    });
    expect(JSON.parse(textOf(listed))).toEqual(listed.structuredContent?.['agents']);
    const shown = (await mcp.call('status', { slug })).structuredContent;
    expect(shown).toMatchObject({
      phase: 'running',
      cost: { total_usd: 0.5, own_usd: 0.5, children_usd: 0, by_model: {} },
    });

    expect(await mcp.call('queue_add', { slug, description: 'More' })).toEqual({
      content: [{ type: 'text', text: `follow-up sent to ${slug}` }],
      structuredContent: { slug, message: `follow-up sent to ${slug}` },
    });
    const { signals } = await handleOf(slug).query();
    expect(signals).toEqual([{ name: 'queueAdd', payload: expect.objectContaining({ from: ACCOUNT }) }]);
    expect(await mcp.call('clear_queue', { slug })).toEqual({
      content: [{ type: 'text', text: '1' }],
      structuredContent: { cleared: 1 },
    });
    expect(textOf(await mcp.call('interrupt', { slug }))).toBe(`interrupt sent to ${slug}`);

    expect((await mcp.call('task_create', { slug, subject: 'Test it' })).structuredContent).toEqual({ task_id: '1' });
    const done = await mcp.call('task_update', { slug, task_id: '1', status: 'completed' });
    expect(done.structuredContent).toMatchObject({ id: '1', status: 'done' });
    expect((await mcp.call('task_get', { slug, task_id: '1' })).structuredContent).toEqual(done.structuredContent);
    expect((await mcp.call('task_list', { slug })).structuredContent).toEqual({ tasks: [done.structuredContent] });

    const killed = await mcp.call('kill', { slug });
    expect(textOf(killed)).toBe(`killed ${slug}`);
    expect(killed.structuredContent?.['receipt']).toEqual([expect.objectContaining({ phase: 'canceled' })]);
  });

  test('errors are results with code, message and hint', async () => {
    const absent = await mcp.call('status', { slug: 'nobody' });
    expect(absent).toMatchObject({ isError: true, structuredContent: { error: { code: 'NOT_FOUND' } } });
    expect(textOf(absent)).toBe(
      'NOT_FOUND: agent "/w/default/u/alice/nobody" not found (slug "nobody")\nhint: list agents with `murmur ls`',
    );
    const ended = await mcp.call('queue_add', { slug, description: 'Too late' });
    expect(ended).toMatchObject({ isError: true, structuredContent: { error: { code: 'FAILED_PRECONDITION' } } });
    const again = await mcp.call('wait', { slug: 'x', phase: 'idel' });
    expect(textOf(again)).toBe('INVALID_ARGUMENT: unknown phase "idel"\nhint: did you mean idle?');
  });

  test('progress keeps a wait alive until the phase is reached', async () => {
    const waited = `waited-${transport}`;
    await mcp.call('spawn', { slug: waited, description: 'Work' });
    const told: { progress: number; message: string | undefined }[] = [];
    const enough = Promise.withResolvers<void>();
    const answer = mcp.call(
      'wait',
      { slug: waited },
      {
        // Shorter than the wait: without progress, the client would give up.
        timeout: 5_000,
        resetTimeoutOnProgress: true,
        onprogress: ({ message, progress }) => {
          told.push({ progress, message });
          if (told.length === (transport === 'http' ? 3 : 1)) enough.resolve();
        },
      },
    );
    await enough.promise;
    await handleOf(waited).become({ phase: 'idle' });
    await api.parts.events.append(`w/default/u/${ACCOUNT}/${waited}`, 'workflow', [
      { seq: 1, at: '2026-02-03T04:05:06.000Z', event: { type: 'phase', phase: 'idle' } },
    ]);
    expect((await answer).structuredContent).toMatchObject({ slug: waited, phase: 'idle' });
    expect(told.map(({ message }) => message)).toContain('running');
    expect(told.map(({ progress }) => progress)).toEqual(told.map((_each, index) => index + 1));
  });

  test('two concurrent clients get their own answers', async () => {
    await using other = await connect();
    // Alternates calls that query Temporal and calls that fail at once, so that answers overtake each other.
    const ask = async (client: McpClient, name: string): Promise<string[]> =>
      await Promise.all(
        Array.from({ length: 20 }, async (_each, index) => {
          const own = `${name}-${String(index)}`;
          const call =
            index % 4 === 0 ? client.call('status', { slug: own }) : client.call('wait', { slug: 'x', phase: own });
          return textOf(await call);
        }),
      );
    const [ours, theirs] = await Promise.all([ask(mcp, 'ours'), ask(other, 'theirs')]);
    ours.forEach((text, index) => expect(text).toContain(`"ours-${String(index)}"`));
    theirs.forEach((text, index) => expect(text).toContain(`"theirs-${String(index)}"`));
  });
});

test("over HTTP an agent's token has the agent's rights, and an empty slug does not kill the agent itself", async () => {
  const created = '2026-01-01T00:00:00.000Z';
  for (const slug of ['lead', 'other']) await api.client.call('spawn', { slug, description: 'Work' });
  const agent = `w/default/u/${ACCOUNT}/lead`;
  const token = await mintToken(api.parts.tokenStore, {
    id: 'agent-lead',
    account: ACCOUNT,
    agent,
    created_at: created,
  });
  await using mcp = await overHttp(api.url, token);
  const other = `/w/default/u/${ACCOUNT}/other`;
  expect((await mcp.call('status', { slug: '' })).structuredContent).toMatchObject({ slug: 'lead' });
  expect(textOf(await mcp.call('queue_add', { slug: other, description: 'Hello' }))).toBe(`follow-up sent to ${other}`);
  expect(textOf(await mcp.call('kill', { slug: other }))).toMatch(/^NOT_FOUND: /);
  expect(textOf(await mcp.call('kill'))).toBe('INVALID_ARGUMENT: slug required');
  expect((await handleOf('lead').query()).signals).toEqual([]);
  expect((await handleOf('other').query()).signals).toEqual([
    { name: 'queueAdd', payload: expect.objectContaining({ from: `/${agent}` }) },
  ]);
});

test('a waiting call of a stopping server fails instead of reporting the phase as reached', async () => {
  await api.client.call('spawn', { slug: 'outlives', description: 'Work' });
  const stopping = await startApi({ temporal: temporal.address });
  await using mcp = await overHttp(stopping.url, stopping.token);
  const told = Promise.withResolvers<void>();
  const call = mcp.call('wait', { slug: 'outlives' }, { onprogress: () => told.resolve() });
  await told.promise;
  await stopping[Symbol.asyncDispose]();
  expect(textOf(await call)).toBe('UNAVAILABLE: the API server is stopping\nhint: try again in a moment');
});
