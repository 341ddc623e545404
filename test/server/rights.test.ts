// What an agent may do with its token, on the real agent workflow: it may change only its descendants and itself.
import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { createClient } from '../../client/index.ts';
import type { MurmurClient } from '../../client/index.ts';
import { mintToken } from '../../drivers/tokens/token.ts';
import { stubActivities } from '../fixtures/stub-activities.ts';
import { startTemporal, startWorker } from '../fixtures/temporal.ts';
import type { TestTemporal } from '../fixtures/temporal.ts';
import { agentClient as clientWithTokenOf } from './fixtures/agent-client.ts';
import { startApi, TASK_QUEUE } from './fixtures/api.ts';
import type { Api } from './fixtures/api.ts';

jest.setTimeout(60_000);

let temporal: TestTemporal;
let worker: { stop(): Promise<void> };
let api: Api;
let lead: MurmurClient;
let kid: MurmurClient;
let bob: MurmurClient;
beforeAll(async () => {
  temporal = await startTemporal();
  worker = await startWorker(temporal, TASK_QUEUE, stubActivities().activities);
  api = await startApi({ temporal: temporal.address, timing: { query: 15_000, update: 30_000, recheck: 1_000 } });
  await api.client.call('spawn', { slug: 'lead', description: 'lead' });
  await api.client.call('spawn', { slug: 'other', description: 'other' });
  lead = await agentClient('lead');
  await lead.call('spawn', { slug: 'kid', description: 'kid' });
  await lead.call('spawn', { slug: 'sibling', description: 'sibling' });
  await lead.call('wait', { slug: 'sibling', phase: 'idle' });
  kid = await agentClient('lead/kid');
  bob = clientOf(await mintToken(api.parts.tokenStore, { id: 'bob', account: 'bob', created_at: '2026-01-01' }));
  await bob.call('spawn', { slug: 'foreign', description: 'foreign' });
}, 300_000);
afterAll(async () => {
  await api[Symbol.asyncDispose]();
  await worker.stop();
  await temporal.stop();
}, 60_000);

function clientOf(token: string): MurmurClient {
  return createClient({ url: api.url, token });
}

/** A client with the token of the spawned agent. */
async function agentClient(path: string, account = 'alice'): Promise<MurmurClient> {
  return await clientWithTokenOf(api, `w/default/u/${account}/${path}`);
}

/** The error as every surface shows it, without the agent's name. */
async function refusal(answer: Promise<unknown>): Promise<unknown> {
  const error = await answer.then(
    () => undefined,
    (reason: unknown) => reason as { code: string; message: string; hint?: string },
  );
  return error === undefined
    ? undefined
    : { code: error.code, message: error.message.replace(/"[^"]*"/g, '…'), hint: error.hint };
}

const task = { subject: 'a task' };
const CHANGES = [
  ['kill', {}],
  ['interrupt', {}],
  ['session_stop', {}],
  ['clear_queue', {}],
  ['queue_strategy', { strategy: 'one' }],
  ['task_create', task],
  ['task_update', { task_id: '1', status: 'done' }],
] as const;
const LOOKS = ['status', 'task_list', 'turns'] as const;

describe('secrets of a spawn', () => {
  const secrets = { GH_TOKEN: 'x' };

  test.each([
    ['spawn', { slug: 'child', description: 'x', secrets }],
    ['each', { slug: 'child-{}', description: '{}', items: ['a'], secrets }],
    ['spawn', { slug: 'child', flight: 'f.md', flight_source: '# f\nnotes', secrets }],
  ] as const)("%s: an agent cannot set them, not even with owner's rights", async (name, input) => {
    const token = await mintToken(api.parts.tokenStore, {
      id: 'agent-owner',
      account: 'alice',
      agent: 'w/default/u/alice/lead',
      rights: 'owner',
      created_at: '2026-01-01',
    });
    for (const caller of [lead, clientOf(token)]) {
      await expect(caller.call(name, { ...input })).rejects.toMatchObject({
        code: 'PERMISSION_DENIED',
        message: expect.stringContaining('secrets'),
        details: { field: 'secrets' },
      });
    }
  });
});

describe('an agent', () => {
  test.each(CHANGES)(
    'cannot call %s on its parent, a sibling or another agent, which look like missing ones',
    async (name, input) => {
      const absent = await refusal(kid.call(name, { slug: '/w/default/u/alice/nobody', ...input }));
      expect(absent).toMatchObject({ code: 'NOT_FOUND' });
      for (const slug of ['alice/lead', 'alice/lead/sibling', 'alice/other', 'bob/foreign']) {
        expect(await refusal(kid.call(name, { slug: `/w/default/u/${slug}`, ...input }))).toEqual(absent);
      }
      expect(await api.client.call('status', { slug: 'lead/sibling' })).toMatchObject({ phase: 'idle' });
    },
  );

  test.each(LOOKS)('may call %s on all agents of its owner, and on no others', async (name) => {
    for (const slug of ['', '/u/alice/lead', '/w/default/u/alice/other']) {
      await expect(kid.call(name, { slug })).resolves.toBeDefined();
    }
    expect(await refusal(kid.call(name, { slug: '/u/bob/foreign' }))).toMatchObject({ code: 'NOT_FOUND' });
  });

  test('may message any agent of its owner, and is named as the sender', async () => {
    await kid.call('queue_add', { slug: '/u/alice/other', description: 'hello from below' });
    await expect(kid.call('queue_add', { slug: '/u/bob/foreign', description: 'x' })).rejects.toMatchObject({
      code: 'NOT_FOUND',
    });
    const { timeline } = await api.client.call('status', { slug: 'other', timeline: ['followUp'] });
    expect(timeline).toContainEqual(
      expect.objectContaining({
        type: 'followUp',
        from: '/w/default/u/alice/lead/kid',
        by: '/w/default/u/alice/lead/kid',
      }),
    );
  });

  test("lists its children by their relative names, and its owner's agents on request", async () => {
    expect((await lead.call('ls', {})).map(({ slug }) => slug)).toEqual(['kid', 'sibling']);
    expect(await kid.call('ls', {})).toEqual([]);
    const rows = await kid.call('ls', { developer: '*' });
    const all = rows.map(({ path }) => path);
    // Each listed slug can be used as input: these agents are not the caller's children.
    expect(rows.map(({ slug }) => slug)).toEqual(all);
    expect(all).toEqual(expect.arrayContaining(['/w/default/u/alice/lead', '/w/default/u/alice/other']));
    expect(all).not.toContain('/w/default/u/bob/foreign');
    expect(await kid.call('ls', { developer: 'bob' })).toEqual([]);
  });

  test('may spawn only below itself, within the limits of the tree, and cannot give rights', async () => {
    await expect(kid.call('spawn', { slug: '/u/alice/lead/third', description: 'x' })).rejects.toMatchObject({
      code: 'NOT_FOUND',
    });
    await expect(kid.call('spawn', { slug: '/u/bob/lead', description: 'x' })).rejects.toMatchObject({
      code: 'NOT_FOUND',
    });
    await expect(kid.call('spawn', { slug: 'd', description: 'x', rights: 'owner' })).rejects.toMatchObject({
      code: 'PERMISSION_DENIED',
    });
    await kid.call('spawn', { slug: 'third-level', description: 'x' });
    const deep = await agentClient('lead/kid/third-level');
    await expect(deep.call('spawn', { slug: 'fourth', description: 'x' })).rejects.toMatchObject({
      code: 'RESOURCE_EXHAUSTED',
      message: 'a tree of agents has at most 3 levels',
    });
    await expect(kid.call('spawn', { slug: 'third-level', description: 'again' })).rejects.toMatchObject({
      code: 'ALREADY_EXISTS',
    });
  });

  test('may not use another workspace or a missing parent', async () => {
    await expect(lead.call('status', { slug: 'kid', workspace: 'bank' })).rejects.toMatchObject({
      code: 'INVALID_ARGUMENT',
    });
    await expect(lead.call('spawn', { slug: 'nobody/kid', description: 'x' })).rejects.toMatchObject({
      code: 'NOT_FOUND',
    });
  });

  test('may not create, list or revoke tokens', async () => {
    for (const [name, input] of [
      ['auth_token_create', {}],
      ['auth_token_ls', {}],
      ['auth_token_revoke', { id: 'bob' }],
    ] as const) {
      await expect(lead.call(name, input as never)).rejects.toMatchObject({ code: 'PERMISSION_DENIED' });
    }
    expect(await lead.call('auth', {})).toMatchObject({ account: 'alice', agent: '/w/default/u/alice/lead' });
  });

  test("with owner's rights may change all agents of its owner, and no others", async () => {
    await api.client.call('spawn', { slug: 'director', description: 'direct', rights: 'owner' });
    const director = await agentClient('director');
    await director.call('interrupt', { slug: '/u/alice/lead/kid' });
    await director.call('spawn', { slug: '/u/alice/other/helper', description: 'x' });
    await expect(director.call('interrupt', { slug: '/u/bob/foreign' })).rejects.toMatchObject({ code: 'NOT_FOUND' });
  });
});

describe('a person', () => {
  test("may read another owner's agent but not change it", async () => {
    expect(await bob.call('status', { slug: '/u/alice/lead' })).toMatchObject({ account: 'alice' });
    for (const [name, input] of CHANGES) {
      await expect(bob.call(name, { slug: '/u/alice/lead', ...input })).rejects.toMatchObject({
        code: 'NOT_FOUND',
      });
    }
    await expect(bob.call('queue_add', { slug: '/u/alice/lead', description: 'x' })).rejects.toMatchObject({
      code: 'NOT_FOUND',
    });
  });

  test('creates a token with their rights, which is valid until it is revoked', async () => {
    const { id, token } = await bob.call('auth_token_create', { label: 'ci', expires_in: '1h' });
    const ci = clientOf(token);
    expect(await ci.call('auth', {})).toMatchObject({ account: 'bob' });
    expect(await bob.call('auth_token_ls', {})).toContainEqual(expect.objectContaining({ id, label: 'ci' }));
    await expect(api.client.call('auth_token_revoke', { id })).rejects.toMatchObject({ code: 'NOT_FOUND' });
    await bob.call('auth_token_revoke', { id });
    await expect(ci.call('auth', {})).rejects.toMatchObject({ code: 'UNAUTHENTICATED' });
  });
});

describe('kill', () => {
  test('includes descendants that an ended agent left running, once', async () => {
    await api.client.call('spawn', { slug: 'top', description: 'x' });
    const top = await agentClient('top');
    await top.call('spawn', { slug: 'one', description: 'x' });
    await (await agentClient('top/one')).call('spawn', { slug: 'two', description: 'x' });
    await top.call('session_stop', { slug: '' });
    await api.client.call('wait', { slug: 'top', phase: 'completed' });
    const { receipt } = await api.client.call('kill', { slug: 'top' });
    expect(receipt.map(({ path, phase }) => `${path} ${phase}`).sort()).toEqual([
      '/w/default/u/alice/top completed',
      '/w/default/u/alice/top/one canceled',
      '/w/default/u/alice/top/one/two canceled',
    ]);
  });
});
