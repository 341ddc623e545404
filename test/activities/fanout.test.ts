import { beforeEach, describe, expect, it } from '@jest/globals';
import { createFanoutActivities } from '../../activities/fanout/fanout.ts';
import type { FanoutActivities } from '../../contract/wire/fanout/messages.ts';
import type { AgentRecord, AgentSpec } from '../../contract/wire/agent.ts';
import { MurmurError } from '../../contract/wire/errors.ts';
import { fanoutWorkflowId, planKey } from '../../contract/wire/fanout/plan.ts';
import type { FanoutPlan } from '../../contract/wire/fanout/plan.ts';
import { workflowIdOf } from '../../contract/wire/identity.ts';
import { recordKey } from '../../contract/wire/object-keys.ts';
import { AGENT_TOKEN } from '../../contract/wire/tokens.ts';
import { checkReferences } from '../../agents/references.ts';
import { readSealedSpec } from '../../agents/sealed.ts';
import { secretsRef } from '../../agents/names.ts';
import { memoryStores } from '../fixtures/memory-ports.ts';
import { attempt, rejection } from '../fixtures/activity-bench.ts';

const stores = memoryStores();
let started: AgentSpec[] = [];
let refuse: (spec: AgentSpec) => Error | undefined = () => undefined;
let living = 1;
const activities: FanoutActivities = createFanoutActivities({
  ...stores,
  handover: new AbortController().signal,
  starter: {
    start: async (spec) => {
      const refusal = refuse(spec);
      if (refusal !== undefined) throw refusal;
      started.push(spec);
    },
    countTree: async () => living,
    rests: async (agent) => agent.endsWith('/do-b'),
  },
});

const SHARED: FanoutPlan['shared'] = {
  provider: 'local',
  repos: [
    { clone_url: 'https://example.com/app.git', branch: 'of-the-first' },
    { clone_url: '/srv/own.git', branch: 'own', real: true },
  ],
  allow_repos: ['github.com/acme'],
  branches: [null, 'own'],
  backend: 'fake',
  on_idle: 'terminate',
  dequeue_strategy: 'all',
  tasks: ['test it'],
  secret_names: ['KEY'],
  created_by: 'tess',
};

let plans = 0;
/** A plan of three agents, beneath `lead` or as roots. */
async function planned(path: readonly string[] = ['lead'], changes: Partial<FanoutPlan> = {}): Promise<string> {
  plans += 1;
  const plan: FanoutPlan = {
    id: `call-${plans.toString()}`,
    place: {
      workspace: 'default',
      account: 'tess',
      path: path.length === 0 ? [] : [`${path[0] ?? ''}${plans.toString()}`],
    },
    description: 'Do {}',
    agents: ['a', 'b', 'c'].map((item) => ({ slug: `do-${item}`, item: item.toUpperCase() })),
    shared: SHARED,
    secrets_ref: '',
    tree_limit: 10,
    created_at: '2026-11-21T08:00:00.000Z',
    ...changes,
  };
  const key = planKey(plan.place, plan.id);
  const secrets_ref = secretsOf(plan);
  await stores.objects.put(key, JSON.stringify({ ...plan, secrets_ref, ...changes }));
  await stores.secrets.put(secrets_ref, { KEY: 'value' });
  return key;
}

/** Reference of a plan's secrets. */
function secretsOf({ place, id }: Pick<FanoutPlan, 'place' | 'id'>): string {
  return secretsRef(fanoutWorkflowId(place, id), id);
}

async function start(plan: string, ...indices: number[]): Promise<readonly unknown[]> {
  return await attempt(activities.startPlanned, { plan, indices }).result;
}

async function recordOf(agent: string): Promise<AgentRecord | undefined> {
  const content = await stores.objects.get(recordKey(agent));
  return content === undefined ? undefined : (JSON.parse(content.toString('utf8')) as AgentRecord);
}

beforeEach(() => {
  started = [];
  refuse = () => undefined;
  living = 1;
});

describe('startPlanned', () => {
  it('starts each agent like a spawn: with its own text, branch, machine, secrets and token', async () => {
    const plan = await planned();
    expect(await start(plan, 0, 2)).toEqual([
      { index: 0, result: 'started' },
      { index: 2, result: 'started' },
    ]);
    const [a, c] = started;
    expect(c).toMatchObject({
      identity: { path: ['lead1', 'do-c'] },
      prompt: { text: 'Do C' },
      repos: [{ branch: 'murmur/default/tess/lead1_do-c' }, { branch: 'own', real: true }],
      allow_repos: ['github.com/acme'],
      tasks: ['test it'],
      on_idle: 'terminate',
      slot: { fanout: 'fanout/w/default/u/tess/lead1/_/call-1', index: 2 },
    });
    expect(c?.machine.name).not.toBe(a?.machine.name);
    const secrets = await stores.secrets.get(c?.secrets?.ref ?? '');
    expect(secrets).toMatchObject({ KEY: 'value', [AGENT_TOKEN]: expect.stringMatching(/^mur_agent-/) });
    expect(await stores.tokenStore.get(c?.token_id ?? '')).toMatchObject({ agent: 'w/default/u/tess/lead1/do-c' });
    // Another attempt after a lost answer gives the agent the same token.
    await start(plan, 2);
    expect(started.at(-1)?.spawn_id).toBe(c?.spawn_id);
    expect(await stores.secrets.get(c?.secrets?.ref ?? '')).toEqual(secrets);
  });

  it('postpones agents beyond the limit of their tree; roots have no limit', async () => {
    living = 9;
    expect(await start(await planned(), 0, 1)).toEqual([
      { index: 0, result: 'started' },
      { index: 1, result: 'later' },
    ]);
    living = 100;
    expect(await start(await planned([]), 0)).toEqual([{ index: 0, result: 'started' }]);
  });

  it.each([
    ['ALREADY_EXISTS', undefined, 'failed'],
    ['FAILED_PRECONDITION', { phase: 'canceled' }, 'failed'],
    ['FAILED_PRECONDITION', undefined, 'orphaned'],
    ['NOT_FOUND', undefined, 'orphaned'],
    ['RESOURCE_EXHAUSTED', undefined, 'later'],
  ] as const)('a start that fails with %s %j is %s, and its token is deleted', async (code, details, result) => {
    refuse = () => new MurmurError(code, 'no', { details });
    const before = await stores.tokenStore.list();
    expect(await start(await planned(), 1)).toMatchObject([{ index: 1, result }]);
    expect(await stores.tokenStore.list()).toEqual(before);
  });

  it('throws retryable errors', async () => {
    refuse = () => new MurmurError('UNAVAILABLE', 'no Temporal');
    expect(await rejection(start(await planned(), 0))).toMatchObject({ type: 'UNAVAILABLE', nonRetryable: false });
    refuse = () => new Error('a call that broke off');
    expect(await rejection(start(await planned(), 0))).toMatchObject({ type: 'INTERNAL', nonRetryable: false });
    expect(await rejection(start('fanouts/w/default/u/tess/_/gone', 0))).toMatchObject({
      type: 'NOT_FOUND',
      nonRetryable: true,
    });
  });
});

describe('an agent of a fan-out', () => {
  it('is sealed at its start, and another attempt starts it with the same spec', async () => {
    const plan = await planned();
    await start(plan, 0);
    await start(plan, 0);
    const [first, second] = started;
    expect(second).toEqual(first);
    if (first === undefined) throw new Error('it was not started');
    const id = workflowIdOf(first.identity);
    expect(await readSealedSpec(stores, id, first.spawn_id)).toEqual(first);
    refuse = () => new MurmurError('ALREADY_EXISTS', 'no');
    await start(plan, 1);
    const other = id.replace(/a$/, 'b');
    expect(await readSealedSpec(stores, other, first.spawn_id.replace(/0$/, '1'))).toBeUndefined();
  });

  it.each([
    ['of this build', `system.call-x.${'0a'.repeat(32)}.txt`],
    ['of a build that wrote names without a digest', 'call-x-system.txt'],
  ])('gets the common system prompt %s, which is stored with the first agent', async (_, name) => {
    const place = { workspace: 'default', account: 'tess', path: ['lead'] };
    const ref = `agents/w/default/u/tess/lead/do-a/texts/${name}`;
    const shared = { ...SHARED, append_system_prompt: { text: 'head', ref } };
    await start(await planned(['lead'], { id: 'call-x', place, shared }), 0, 2);
    expect(started).toHaveLength(2);
    for (const spec of started) expect(() => checkReferences(spec)).not.toThrow();
    const [, last] = started;
    for (const other of [
      ref.replace('call-x', 'call-y'),
      ref.replace('/lead/', '/boss/'),
      ref.replace('do-a', 'do-a/kid'),
      ref.replace('system', 'prompt'),
    ]) {
      const spec = { ...last, append_system_prompt: { text: '', ref: other } } as AgentSpec;
      expect(() => checkReferences(spec)).toThrow(/append_system_prompt/);
    }
  });
});

describe('a forged fan-out', () => {
  const FORGED = { workflow: 'fanout/w/default/u/tess/_/forged' };
  const denied = { type: 'PERMISSION_DENIED', nonRetryable: true };

  it('reads only its own plan: neither that of another fan-out nor an upload of an agent', async () => {
    const plan = await planned();
    await stores.objects.put('uploads/x/content', JSON.stringify({ id: 'forged' }));
    for (const key of [plan, 'uploads/x/content', `${plan}/../forged`]) {
      const forged = { plan: key, indices: [0] };
      expect(await rejection(attempt(activities.startPlanned, forged, FORGED).result)).toMatchObject(denied);
      const drop = { ...forged, by: 'x', reason: 'x' };
      expect(await rejection(attempt(activities.dropPlanned, drop, FORGED).result)).toMatchObject(denied);
      expect(await rejection(attempt(activities.closeFanout, { plan: key }, FORGED).result)).toMatchObject(denied);
    }
    expect(await stores.objects.get(plan)).toBeDefined();
    expect(await stores.objects.get('uploads/x/content')).toBeDefined();
    expect(started).toEqual([]);
  });

  it('gets no secrets if its plan names those of another fan-out, or another place', async () => {
    const secrets = await planned(['lead'], { secrets_ref: 'server-signing-key' });
    expect(await rejection(start(secrets, 0))).toMatchObject(denied);
    const plan = await planned();
    const key = plan.replace('/tess/', '/bob/');
    await stores.objects.put(key, (await stores.objects.get(plan)) ?? '');
    expect(await rejection(start(key, 0))).toMatchObject(denied);
  });
});

describe('the end of agents that were never started', () => {
  it('writes a record and an event, once', async () => {
    const plan = await planned([]);
    const input = { plan, indices: [1], by: 'tess', reason: 'killed by tess' };
    await attempt(activities.dropPlanned, input).result;
    await attempt(activities.dropPlanned, input).result;
    const agent = workflowIdOf({ workspace: 'default', account: 'tess', path: ['do-b'] });
    expect((await recordOf(agent))?.status).toMatchObject({
      slug: 'do-b',
      phase: 'canceled',
      reason: 'killed by tess',
      vm: { state: 'gone' },
      pending_input: false,
      timeline: [{ type: 'phase', phase: 'canceled', by: 'tess' }],
    });
    expect(await stores.events.read(agent, 0, 10)).toMatchObject([{ event: { type: 'phase', phase: 'canceled' } }]);
    expect(await start(plan, 1)).toEqual([{ index: 1, result: 'started' }]);
    expect(started).toEqual([]);
  });

  it('leaves a record with all that the agent was to be started with, as it is sealed', async () => {
    const plan = await planned([], { id: 'call-whole', description: `Do {} ${'at length '.repeat(5_000)}` });
    const input = { plan, indices: [2], by: 'tess', reason: 'killed by tess' };
    await attempt(activities.dropPlanned, input).result;
    const agent = workflowIdOf({ workspace: 'default', account: 'tess', path: ['do-c'] });
    const { spec } = (await recordOf(agent)) ?? {};
    expect(spec).toMatchObject({
      prompt: { text: expect.stringMatching(/^Do C at length/), ref: expect.stringMatching(/\.txt$/) },
      tasks: ['test it'],
      on_idle: 'terminate',
      secrets: { names: ['KEY'] },
      slot: { index: 2 },
    });
    expect(spec).toEqual(await readSealedSpec(stores, agent, 'call-whole-2'));
    expect(await stores.objects.get(spec?.prompt?.ref ?? '')).toBeDefined();
    // Another attempt keeps the record of the same agent.
    await attempt(activities.dropPlanned, input).result;
    expect((await recordOf(agent))?.spec).toEqual(spec);
  });

  it('closing removes the plan and the secrets, once', async () => {
    const plan = await planned();
    for (const _attempt of [1, 2]) await attempt(activities.closeFanout, { plan }).result;
    expect(await stores.objects.get(plan)).toBeUndefined();
    const place = { workspace: 'default', account: 'tess', path: [`lead${plans.toString()}`] };
    expect(await stores.secrets.get(secretsOf({ place, id: `call-${plans.toString()}` }))).toEqual({});
  });
});

it('a closed fan-out starts no more agents', async () => {
  const plan = await planned();
  await start(plan, 0);
  await attempt(activities.closeFanout, { plan }).result;
  expect(await rejection(start(plan, 1))).toMatchObject({ type: 'NOT_FOUND', nonRetryable: true });
  expect(started).toHaveLength(1);
});

it('restingPlanned returns the agents that are idle or have ended', async () => {
  const plan = await planned();
  expect(await attempt(activities.restingPlanned, { plan, indices: [0, 1, 7] }).result).toEqual([1, 7]);
});
