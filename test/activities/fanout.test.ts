import { beforeEach, describe, expect, it } from '@jest/globals';
import { createFanoutActivities } from '../../activities/fanout/fanout.ts';
import type { FanoutActivities } from '../../contract/wire/fanout/messages.ts';
import type { AgentSpec } from '../../contract/wire/agent.ts';
import { MurmurError } from '../../contract/wire/errors.ts';
import { planKey } from '../../contract/wire/fanout/plan.ts';
import type { FanoutPlan } from '../../contract/wire/fanout/plan.ts';
import { workflowIdOf } from '../../contract/wire/identity.ts';
import { recordKey } from '../../contract/wire/object-keys.ts';
import { AGENT_TOKEN } from '../../contract/wire/tokens.ts';
import { createMemoryEventLog } from '../../drivers/events/memory.ts';
import { createMemoryObjectStore } from '../../drivers/objects/memory.ts';
import { createMemorySecretStore } from '../../drivers/secrets/memory.ts';
import { createMemoryTokenStore } from '../../drivers/tokens/memory.ts';
import { attempt, rejection } from '../fixtures/activity-bench.ts';

const stores = {
  objects: createMemoryObjectStore(),
  events: createMemoryEventLog(),
  secrets: createMemorySecretStore(),
  tokens: createMemoryTokenStore(),
};
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

let plans = 0;
/** A plan of three agents beneath `lead`, or of a person. */
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
    shared: {
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
    },
    secrets_ref: `fan-${plans.toString()}`,
    tree_limit: 10,
    created_at: '2026-11-21T08:00:00.000Z',
    ...changes,
  };
  const key = planKey(plan.place, plan.id);
  await stores.objects.put(key, JSON.stringify(plan));
  await stores.secrets.put(plan.secrets_ref, { KEY: 'value' });
  return key;
}

async function start(plan: string, ...indices: number[]): Promise<readonly unknown[]> {
  return await attempt(activities.startPlanned, { plan, indices }).result;
}

async function statusOf(spec: string): Promise<unknown> {
  const content = await stores.objects.get(recordKey(spec));
  return content === undefined ? undefined : (JSON.parse(content.toString('utf8')) as { status: unknown }).status;
}

beforeEach(() => {
  started = [];
  refuse = () => undefined;
  living = 1;
});

describe('startPlanned', () => {
  it('starts each as its caller would have: own text, branch, machine, secrets and token', async () => {
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
    expect(await stores.tokens.get(c?.token_id ?? '')).toMatchObject({ agent: 'w/default/u/tess/lead1/do-c' });
    // Another attempt, after an answer that got lost, gives the same agent the same token.
    await start(plan, 2);
    expect(started.at(-1)?.spawn_id).toBe(c?.spawn_id);
    expect(await stores.secrets.get(c?.secrets?.ref ?? '')).toEqual(secrets);
  });

  it('puts off those for which the tree has no room; roots have no such limit', async () => {
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
  ] as const)('a start refused with %s %j is %s, and leaves no token', async (code, details, result) => {
    refuse = () => new MurmurError(code, 'no', { details });
    const before = await stores.tokens.list();
    expect(await start(await planned(), 1)).toMatchObject([{ index: 1, result }]);
    expect(await stores.tokens.list()).toEqual(before);
  });

  it('throws what another attempt may mend', async () => {
    refuse = () => new MurmurError('UNAVAILABLE', 'no Temporal');
    expect(await rejection(start(await planned(), 0))).toMatchObject({ type: 'UNAVAILABLE', nonRetryable: false });
    refuse = () => new Error('a call that broke off');
    expect(await rejection(start(await planned(), 0))).toMatchObject({ type: 'INTERNAL', nonRetryable: false });
    expect(await rejection(start('fanouts/gone', 0))).toMatchObject({ type: 'NOT_FOUND', nonRetryable: true });
  });
});

describe('the end of those that never were started', () => {
  it('is a record and an event, written once', async () => {
    const plan = await planned([]);
    const input = { plan, indices: [1], by: 'tess', reason: 'killed by tess' };
    await attempt(activities.dropPlanned, input).result;
    await attempt(activities.dropPlanned, input).result;
    const agent = workflowIdOf({ workspace: 'default', account: 'tess', path: ['do-b'] });
    expect(await statusOf(agent)).toMatchObject({
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

  it('closing removes the plan and the secrets, once', async () => {
    const plan = await planned();
    for (const _attempt of [1, 2]) await attempt(activities.closeFanout, { plan }).result;
    expect(await stores.objects.get(plan)).toBeUndefined();
    expect(await stores.secrets.get(`fan-${plans.toString()}`)).toEqual({});
  });
});

it('restingPlanned names those that rest or have ended', async () => {
  const plan = await planned();
  expect(await attempt(activities.restingPlanned, { plan, indices: [0, 1, 7] }).result).toEqual([1, 7]);
});
