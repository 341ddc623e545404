import { describe, expect, it } from '@jest/globals';
import type { AgentResult, AgentSpec, KillTarget } from '../../contract/wire/agent.ts';
import { absolutePathOf, workflowIdOf } from '../../contract/wire/identity.ts';
import { recordKey } from '../../contract/wire/object-keys.ts';
import { tokenId } from '../../agents/names.ts';
import { machineLabels } from '../../agents/machine.ts';
import { recordOf } from '../../workflows/agent/status.ts';
import { activityBench, attempt } from '../fixtures/activity-bench.ts';
import type { ActivityBench } from '../fixtures/activity-bench.ts';
import { agentSpec } from '../fixtures/agent-spec.ts';
import { testAgent } from '../fixtures/agent-state.ts';
import { creation } from '../fixtures/creation.ts';

const ORDER = { id: 'k', from: 'tess', with_parent: true, leave_machine: true } as const;

function spawnOf(agent: string): string {
  return `spawn-of-${agent.replaceAll('/', '-')}`;
}

function target(agent: string, cost_usd = 0): KillTarget {
  return { agent, spawn_id: spawnOf(agent), cost_usd };
}

/** The result of an agent that has cleaned up itself, or of an earlier version. */
function ended(agent: string): AgentResult {
  const line = { path: `/${agent}`, phase: 'canceled', machine: 'm', machine_state: 'destroyed', cost_usd: 1 } as const;
  return { phase: 'canceled', receipt: [line], cost: { usd: 1, by_model: {} }, total_usd: 3 };
}

/** The result of an agent with a pending clean-up. */
function leaving(spec: AgentSpec, usd: number, children: readonly KillTarget[] = []): AgentResult {
  const path = absolutePathOf(spec.identity);
  const known = children.reduce((sum, { cost_usd }) => sum + cost_usd, usd);
  const line = { path, phase: 'canceled', machine: spec.machine.name, machine_state: 'left', cost_usd: usd } as const;
  const record = recordOf({ ...testAgent(spec).state, phase: 'canceled' }, spec);
  const events = [{ seq: 1, at: spec.created_at, event: { type: 'phase', phase: 'canceled' } }] as const;
  return {
    phase: 'canceled',
    receipt: [line],
    cost: { usd, by_model: {} },
    total_usd: known,
    left: { spec, record, events, children },
  };
}

function childOf(spec: AgentSpec, slug: string): AgentSpec {
  const identity = { ...spec.identity, path: [...spec.identity.path, slug] };
  return agentSpec({
    identity,
    spawn_id: spawnOf(workflowIdOf(identity)),
  });
}

/** Returns results by workflow id, and records who was signalled. */
function answer(bench: ActivityBench, results: Readonly<Record<string, AgentResult>>, told: string[] = []): string[] {
  Object.assign(bench.ports, {
    control: {
      signal: async (agent: string) => void told.push(agent),
      result: async (agent: string) => results[agent],
    },
  });
  return told;
}

describe('killAgents', () => {
  it('signals all agents before it awaits any, and names those that did not answer', async () => {
    await using bench = await activityBench();
    const told: string[] = [];
    Object.assign(bench.ports, {
      control: {
        signal: async (agent: string) => void told.push(agent),
        result: async (agent: string) => {
          expect(told).toContain('w/a');
          return agent === 'w/gone' ? undefined : ended(agent);
        },
      },
    });
    const input = { agents: ['w/a', 'w/b', 'w/gone'].map((agent) => target(agent)), order: ORDER };
    const { receipt, ended: ends, unanswered } = await attempt(bench.worker().activities.killAgents, input).result;
    expect(told).toEqual(['w/a', 'w/b', 'w/gone']);
    expect(receipt.map(({ path }) => path)).toEqual(['/w/a', '/w/b']);
    expect(ends).toEqual(['w/a', 'w/b'].map((agent) => ({ agent, phase: 'canceled', total_usd: 3 })));
    expect(unanswered).toEqual(['w/gone']);
  });

  it('cleans up after agents and their descendants, and adds their unreported cost', async () => {
    await using bench = await activityBench();
    const { provider, ports } = bench;
    const kid = childOf(bench.spec, 'kid');
    const grandkid = childOf(kid, 'grandkid');
    const [kidId, grandkidId] = [kid, grandkid].map(({ identity }) => workflowIdOf(identity)) as [string, string];
    for (const { identity, spawn_id, machine } of [kid, grandkid]) {
      await provider.create(
        { name: machine.name, labels: machineLabels(workflowIdOf(identity), spawn_id) },
        creation(),
      );
    }
    const beneath = [target(grandkidId, 0.5)];
    const told = answer(bench, { [kidId]: leaving(kid, 1, beneath), [grandkidId]: leaving(grandkid, 2) });
    const input = { agents: [target(kidId)], order: ORDER };
    const { receipt, ended: ends } = await attempt(bench.worker().activities.killAgents, input).result;
    expect(told).toEqual([kidId, grandkidId]);
    expect(receipt).toMatchObject([
      { path: `/${kidId}`, machine: kid.machine.name, machine_state: 'destroyed', cost_usd: 1 },
      { path: `/${grandkidId}`, machine: grandkid.machine.name, machine_state: 'destroyed', cost_usd: 2 },
    ]);
    // The grandchild had reported half a dollar of its two to the child.
    expect(ends).toEqual([{ agent: kidId, phase: 'canceled', total_usd: 3 }]);
    expect((await provider.list()).machines.map(({ name }) => name)).toEqual([bench.spec.machine.name]);
    for (const id of [kidId, grandkidId]) {
      const record = JSON.parse((await ports.objects.get(recordKey(id)))?.toString('utf8') ?? '{}') as object;
      expect(record).toMatchObject({ status: { path: `/${id}`, phase: 'canceled' } });
      expect((await ports.events.read(id, 0, 10)).map(({ event }) => event.type)).toEqual(['phase']);
    }
  });

  it('deletes the token of an agent before its workflow can end', async () => {
    await using bench = await activityBench();
    const kid = childOf(bench.spec, 'kid');
    const agent = workflowIdOf(kid.identity);
    const id = tokenId(agent, kid.spawn_id);
    await bench.ports.tokenStore.put({
      id,
      agent,
      sha256: 'a'.repeat(64),
      account: 'tess',
      created_at: kid.created_at,
    });
    let known: unknown;
    let order: unknown;
    Object.assign(bench.ports, {
      control: {
        signal: async (_agent: string, _name: string, given: unknown) => {
          known = await bench.ports.tokenStore.get(id);
          order = given;
        },
        result: async () => leaving(kid, 0),
      },
    });
    await attempt(bench.worker().activities.killAgents, { agents: [target(agent)], order: ORDER }).result;
    expect(known).toBeUndefined();
    // A later life of the child's id is not meant.
    expect(order).toEqual({ ...ORDER, spawn_id: kid.spawn_id });
  });

  it('retries the end of a machine, and names a machine that it could not end in the receipt', async () => {
    await using bench = await activityBench();
    const [stubborn, moody] = [childOf(bench.spec, 'stubborn'), childOf(bench.spec, 'moody')];
    const ids = [stubborn, moody].map(({ identity }) => workflowIdOf(identity)) as [string, string];
    answer(bench, { [ids[0]]: leaving(stubborn, 0), [ids[1]]: leaving(moody, 0) });
    const attempts = new Map<string, number>();
    const { fake } = bench.ports.machines;
    Object.assign(bench.ports, {
      machines: {
        fake: {
          ...fake,
          describe: async (name: string) => await bench.provider.describe(name),
          destroy: async (name: string) => {
            attempts.set(name, (attempts.get(name) ?? 0) + 1);
            if (name === stubborn.machine.name || attempts.get(name) === 1) throw new Error('the disk is busy');
          },
        },
      },
    });
    const input = { agents: ids.map((agent) => target(agent)), order: ORDER };
    const { receipt } = await attempt(bench.worker().activities.killAgents, input).result;
    expect(receipt).toMatchObject([
      { machine: stubborn.machine.name, machine_state: 'not destroyed: the disk is busy' },
      { machine: moody.machine.name, machine_state: 'destroyed' },
    ]);
    expect([stubborn, moody].map(({ machine }) => attempts.get(machine.name))).toEqual([3, 2]);
  }, 30_000);

  it('the next attempt ends only the machines that the last one did not end', async () => {
    await using bench = await activityBench();
    const [first, second] = [childOf(bench.spec, 'first'), childOf(bench.spec, 'second')];
    const ids = [first, second].map(({ identity }) => workflowIdOf(identity)) as [string, string];
    answer(bench, { [ids[0]]: leaving(first, 0), [ids[1]]: leaving(second, 0) });
    const input = { agents: ids.map((agent) => target(agent)), order: ORDER };
    const { killAgents } = bench.worker().activities;
    const whole = attempt(killAgents, input);
    await whole.result;
    expect(whole.heartbeats.at(-1)).toEqual({
      [ids[0]]: { machine_state: 'destroyed' },
      [ids[1]]: { machine_state: 'destroyed' },
    });
    const heartbeatDetails = { [ids[0]]: { machine_state: 'destroyed', snapshot: 'kept' } };
    const { result, heartbeats } = attempt(killAgents, input, { attempt: 2, heartbeatDetails });
    expect((await result).receipt).toMatchObject([
      { machine: first.machine.name, machine_state: 'destroyed', snapshot: 'kept' },
      { machine: second.machine.name, machine_state: 'destroyed' },
    ]);
    expect(heartbeats.at(-1)).toMatchObject({ ...heartbeatDetails, [ids[1]]: { machine_state: 'destroyed' } });
  });
});
