// The activities refuse forged specs, messages and orders that a client wrote directly into Temporal.
import { describe, expect, it } from '@jest/globals';
import type { EndAgentInput } from '../../contract/wire/activities.ts';
import type { AgentSpec } from '../../contract/wire/agent.ts';
import { flightKey } from '../../contract/wire/flight/messages.ts';
import { workflowIdOf } from '../../contract/wire/identity.ts';
import { recordKey } from '../../contract/wire/object-keys.ts';
import { sealSpec } from '../../agents/sealed.ts';
import { signingKey } from '../../drivers/keys/signing-key.ts';
import { mintToken } from '../../drivers/tokens/token.ts';
import { recordOf } from '../../workflows/agent/status.ts';
import { activityBench, attempt, refused, rejection } from '../fixtures/activity-bench.ts';
import type { ActivityBench } from '../fixtures/activity-bench.ts';
import { agentSpec, withCredentials } from '../fixtures/agent-spec.ts';
import { message, NOW, testAgent } from '../fixtures/agent-state.ts';
import { eventually } from '../fixtures/waiting.ts';
import { creation } from '../fixtures/creation.ts';

/** A forged spec by somebody who knows everything about the bench's agent except the key. */
function forged(changes: Partial<AgentSpec> = {}): AgentSpec {
  return withCredentials(agentSpec({ ...changes }));
}

function endInput(spec: AgentSpec): EndAgentInput {
  return { spec, record: recordOf({ ...testAgent(spec).state, phase: 'canceled' }, spec) };
}

/** Stores data of the bench's agent, which no other agent may get or end. */
async function storeAgentData({ ports, spec }: ActivityBench): Promise<void> {
  await ports.secrets.put(spec.secrets?.ref ?? '', { KEY: 'of-the-victim' });
  await mintToken(ports.tokenStore, { id: spec.token_id ?? '', account: 'tess', created_at: NOW });
}

async function expectUnharmed({ ports, spec, agent, provider }: ActivityBench): Promise<void> {
  expect(await ports.secrets.get(spec.secrets?.ref ?? '')).toEqual({ KEY: 'of-the-victim' });
  expect(await ports.tokenStore.get(spec.token_id ?? '')).toBeDefined();
  expect(await provider.describe(spec.machine.name)).toMatchObject({
    state: 'running',
    labels: { agent, spawn: spec.spawn_id },
  });
  expect(await ports.objects.get(recordKey(agent))).toBeUndefined();
}

describe('a spec that refers to data of another agent', () => {
  it.each([
    ['the signing key', () => ({ secrets: { ref: 'server-signing-key', names: ['KEY'] } }), 'secrets.ref'],
    [
      'secrets of another',
      ({ spec }) => ({ secrets: { ref: spec.secrets?.ref ?? '', names: ['KEY'] } }),
      'secrets.ref',
    ],
    ['the token of another', ({ spec }) => ({ token_id: spec.token_id ?? '' }), 'token_id'],
    ['the machine of another', ({ spec }) => ({ machine: spec.machine }), 'machine.name'],
    ['the flight of another', ({ agent }) => ({ flight: { name: 'x', key: flightKey(agent, 's') } }), 'flight.key'],
    [
      'any object',
      ({ agent }) => ({ append_system_prompt: { text: '', ref: recordKey(agent) } }),
      'append_system_prompt',
    ],
    [
      'an object by traversal',
      ({ agent }) => ({ append_system_prompt: { text: '', ref: `agents/${agent}/texts/../record.json` } }),
      'append_system_prompt',
    ],
  ] satisfies [string, (bench: ActivityBench) => Partial<AgentSpec>, string][])(
    'is refused: %s',
    async (_what, changes, field) => {
      await using bench = await activityBench();
      await storeAgentData(bench);
      const { activities } = bench.worker();
      const spec = { ...forged(), ...changes(bench) };
      expect(await rejection(attempt(activities.prepareAgent, { spec }).result)).toEqual(refused(field));
      expect(await rejection(attempt(activities.runTurn, bench.turn({ spec })).result)).toEqual(refused(field));
      expect(bench.runner.opens).toEqual([]);
      await attempt(activities.endAgent, endInput(spec)).result;
      await expectUnharmed(bench);
    },
  );
});

describe('the check of a seal', () => {
  it('is done by every activity: an unsealed spec is refused, and no machine is created', async () => {
    await using bench = await activityBench();
    const { activities } = bench.worker();
    const spec = forged();
    const order = { spec, turn_id: 'turn-1' };
    const assess = { spec, assess_id: 'a', number: 1, task: { text: 'x' }, subject: 'x', checklist: [] };
    const failures = await Promise.all(
      [
        attempt(activities.prepareAgent, { spec }),
        attempt(activities.runTurn, bench.turn({ spec })),
        attempt(activities.assess, assess),
        attempt(activities.interruptTurn, order),
        attempt(activities.noticeTurn, { ...order, notice: { id: 'n', text: 'x' } }),
      ].map(async ({ result }) => await rejection(result)),
    );
    for (const failure of failures) expect(failure).toEqual(refused('has no valid seal'));
    expect((await bench.provider.list()).machines).toHaveLength(1);
    expect(bench.runner.opens).toEqual([]);
  });

  it.each([
    ['repos', { repos: [{ clone_url: 'https://example.com/payroll.git', branch: 'b' }] }],
    ['completion_check', { completion_check: 'assessor' }],
    ['a field of a later build', { allow_repos: ['https://example.com/'] }],
    ['for_flight', { for_flight: 'f/default/u/bob/pilot' }],
    ['limits', { limits: { continue_after_turns: 1 } }],
  ])('refuses a spec with a changed %s, even if the agent was admitted before', async (_what, changes) => {
    await using bench = await activityBench();
    const { activities } = bench.worker();
    await attempt(activities.prepareAgent, { spec: bench.spec }).result;
    const [field = ''] = Object.keys(changes);
    const spec = { ...bench.spec, ...(changes as Partial<AgentSpec>) };
    const reason = refused(`${field} is not as it was sealed`);
    expect(await rejection(attempt(activities.prepareAgent, { spec }).result)).toEqual(reason);
    expect(await rejection(attempt(activities.runTurn, bench.turn({ spec })).result)).toEqual(reason);
    const { model: _model, ...less } = { ...bench.spec, purpose: 'x' };
    expect(await rejection(attempt(activities.runTurn, bench.turn({ spec: less })).result)).toEqual(refused('purpose'));
  });

  it('accepts a spec with an omitted prompt, or an allowance from the parent', async () => {
    await using bench = await activityBench();
    const spec = { ...bench.spec, prompt: { text: '' }, allowance_usd: 3 };
    await attempt(bench.worker().activities.prepareAgent, { spec }).result;
    expect(bench.runner.opens).toHaveLength(1);
  });

  it('refuses a seal of another installation', async () => {
    await using bench = await activityBench();
    const spec = forged();
    await sealSpec({ objects: bench.ports.objects, key: signingKey(Buffer.alloc(32, 9)) }, spec);
    const failure = await rejection(attempt(bench.worker().activities.prepareAgent, { spec }).result);
    expect(failure).toEqual(refused('has no valid seal'));
  });
});

describe('a sealed spec', () => {
  it('is accepted only in the workflow of its own agent', async () => {
    await using bench = await activityBench();
    await storeAgentData(bench);
    const { activities } = bench.worker();
    const elsewhere = { workflow: 'stolen' };
    const other = refused('it is the spec of another agent');
    const { spec } = bench;
    expect(await rejection(attempt(activities.prepareAgent, { spec }, elsewhere).result)).toEqual(other);
    expect(await rejection(attempt(activities.runTurn, bench.turn(), elsewhere).result)).toEqual(other);
    expect(await rejection(attempt(activities.endAgent, endInput(spec), elsewhere).result)).toEqual(other);
    const events = { agent: bench.agent, events: [{ seq: 1, at: NOW, event: { type: 'note', text: 'x' } }] } as const;
    expect(await rejection(attempt(activities.publishEvents, events, elsewhere).result)).toEqual(
      refused('not events of'),
    );
    expect(await bench.logged()).toEqual([]);
    await expectUnharmed(bench);
  });

  it('does not start an ended agent again, under the same worker or another', async () => {
    await using bench = await activityBench();
    const { activities } = bench.worker();
    await attempt(activities.prepareAgent, { spec: bench.spec }).result;
    await attempt(activities.endAgent, endInput(bench.spec)).result;
    for (const each of [activities, bench.worker().activities]) {
      const failure = await rejection(attempt(each.prepareAgent, { spec: bench.spec }).result);
      expect(failure).toEqual(refused('the agent has ended'));
    }
    expect((await bench.provider.list()).machines).toEqual([]);
  });
});

describe('a machine with the expected name that was created for another agent', () => {
  it('is neither reused nor destroyed', async () => {
    await using bench = await activityBench();
    const { activities } = bench.worker();
    const name = bench.spec.machine.name;
    const labels = { agent: 'w/default/u/bob/other', spawn: 's' };
    await bench.provider.destroy(name);
    await bench.provider.create({ name, labels }, creation());
    const { spec } = bench;
    for (const result of [
      attempt(activities.prepareAgent, { spec }).result,
      attempt(activities.runTurn, bench.turn()).result,
      attempt(activities.endAgent, endInput(spec)).result,
    ]) {
      expect(await rejection(result)).toEqual(refused(`machine ${name} was not made for agent`));
    }
    expect(await bench.provider.describe(name)).toMatchObject({ state: 'running', labels });
  });

  it('is accepted if an earlier build created it for the agent, without a spawn label', async () => {
    await using bench = await activityBench();
    const { name } = bench.spec.machine;
    await bench.provider.destroy(name);
    await bench.provider.create({ name, labels: { agent: bench.agent } }, creation());
    const turn = attempt(bench.worker().activities.runTurn, bench.turn());
    await eventually(() => bench.runner.prompts.length === 1, 'the prompt');
    bench.runner.endTurn();
    expect(await turn.result).toMatchObject({ status: 'completed' });
  });
});

describe('a message that refers to a text of another agent', () => {
  it.each([
    ['a record', () => recordKey('w/default/u/bob/other')],
    ['a text of another agent', () => 'agents/w/default/u/bob/other/texts/m.txt'],
    ['what belongs to a child named texts', (agent: string) => `agents/${agent}/texts/texts/m.txt`],
    ['an upload', () => 'uploads/x/content'],
  ])('is reported as unreadable, and the turn continues: %s', async (_what, refOf) => {
    await using bench = await activityBench();
    const ref = refOf(bench.agent);
    await bench.ports.objects.put(ref, 'a secret of somebody');
    const inputs = [{ ...message('head'), text: { text: 'head', ref } }, message('the other message')];
    const turn = attempt(bench.worker().activities.runTurn, bench.turn({ inputs }));
    await eventually(() => bench.runner.prompts.length === 1, 'the prompt');
    bench.runner.endTurn();
    expect(await turn.result).toMatchObject({ status: 'completed' });
    const prompt = bench.runner.prompts[0]?.prompt;
    expect(prompt).toContain('could not be read');
    expect(prompt).toContain('the other message');
    expect(prompt).not.toContain('a secret');
  });

  it('is not read for an assessment', async () => {
    await using bench = await activityBench();
    const task = { text: '', ref: 'uploads/x/content' };
    const input = { spec: bench.spec, assess_id: 'a', number: 1, task, subject: '', checklist: [] };
    const failure = await rejection(attempt(bench.worker().activities.assess, input).result);
    expect(failure).toEqual(refused('is not one of this agent'));
  });
});

describe('the end of a forged agent', () => {
  it('ends its own machine, and does not replace the record of an earlier agent with the slug', async () => {
    await using bench = await activityBench();
    await storeAgentData(bench);
    const spec = forged();
    const agent = workflowIdOf(spec.identity);
    await bench.ports.objects.put(recordKey(agent), '{"of":"the agent before"}');
    const names = { ...spec, machine: bench.spec.machine, secrets: bench.spec.secrets, token_id: bench.spec.token_id };
    const { activities } = bench.worker();
    const result = await attempt(activities.endAgent, endInput(names as AgentSpec)).result;
    expect(result).toEqual({ machine_state: 'destroyed' });
    await expectUnharmed(bench);
    expect((await bench.ports.objects.get(recordKey(agent)))?.toString()).toBe('{"of":"the agent before"}');
  });

  it('writes a record if there is none, so that people see how it ended', async () => {
    await using bench = await activityBench();
    const spec = forged();
    await attempt(bench.worker().activities.endAgent, endInput(spec)).result;
    const record = await bench.ports.objects.get(recordKey(workflowIdOf(spec.identity)));
    expect(record?.toString()).toContain('"canceled"');
  });

  it('ends only its descendants', async () => {
    await using bench = await activityBench();
    await storeAgentData(bench);
    const agents = [{ agent: bench.agent, spawn_id: bench.spec.spawn_id, cost_usd: 0 }];
    const input = { agents, order: { id: 'k', from: 'x', leave_machine: true } } as const;
    const killing = attempt(bench.worker().activities.killAgents, input, { workflow: 'w/default/u/bob/forged' });
    expect(await rejection(killing.result)).toEqual(refused('is not beneath'));
    await expectUnharmed(bench);
  });

  it('does not end other agents that a descendant names in its result', async () => {
    await using bench = await activityBench();
    await storeAgentData(bench);
    const { spec, record } = endInput(bench.spec);
    const kid = 'w/default/u/bob/forged/kid';
    Object.assign(bench.ports, {
      control: {
        signal: async () => undefined,
        result: async () => ({
          phase: 'canceled',
          receipt: [{ path: `/${kid}`, phase: 'canceled', machine: 'm', machine_state: 'left', cost_usd: 0 }],
          cost: { usd: 0, by_model: {} },
          total_usd: 0,
          left: { spec, record, events: [], children: [] },
        }),
      },
    });
    const input = { agents: [{ agent: kid, spawn_id: 's', cost_usd: 0 }], order: { id: 'k', from: 'x' } };
    const { receipt } = await attempt(bench.worker().activities.killAgents, input).result;
    expect(receipt[0]?.machine_state).toContain('it is the spec of another agent');
    await expectUnharmed(bench);
  });
});
