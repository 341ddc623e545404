// Activities that are given a reference to the stored spec of their agent, as workflows of this build do.
import { describe, expect, it } from '@jest/globals';
import type { AgentSpec, SessionRef } from '../../contract/wire/agent.ts';
import { recordKey } from '../../contract/wire/object-keys.ts';
import { sealSpec, withSeal } from '../../agents/sealed.ts';
import { signingKey } from '../../drivers/keys/signing-key.ts';
import { sessionRef } from '../../workflows/session-ref.ts';
import { recordOf } from '../../workflows/agent/status.ts';
import { activityBench, attempt, refused, rejection } from '../fixtures/activity-bench.ts';
import type { ActivityBench } from '../fixtures/activity-bench.ts';
import { agentSpec, withCredentials } from '../fixtures/agent-spec.ts';
import { message, testAgent } from '../fixtures/agent-state.ts';
import { eventually } from '../fixtures/waiting.ts';

function refTo(spec: AgentSpec): SessionRef {
  const session = sessionRef(spec);
  if (session === undefined) throw new Error('the spec has no digest');
  return session;
}

function placeOf({ agent, spec }: ActivityBench): string {
  return `sealed/${agent}/${spec.spawn_id}.json`;
}

function endInput({ spec }: ActivityBench, session = refTo(spec)) {
  return { session, record: recordOf({ ...testAgent(spec).state, phase: 'canceled' }, spec) };
}

const TURN = { turn_id: 'turn-1', number: 1, inputs: [message('fix it')] };

describe('a reference to the stored spec', () => {
  it('is enough to open, run, assess, interrupt, notify and end an agent', async () => {
    await using bench = await activityBench({ model: 'fake', out: 'respond' });
    const session = refTo(bench.spec);
    const { activities } = bench.worker();
    await attempt(activities.prepareAgent, { session }).result;
    expect(bench.runner.opens).toMatchObject([{ repos: bench.spec.repos, session_id: bench.spec.session_id }]);
    const turn = attempt(activities.runTurn, { ...TURN, session });
    await eventually(() => bench.runner.prompts.length === 1, 'the prompt');
    await attempt(activities.noticeTurn, { session, turn_id: 'turn-1', notice: { id: 'n', text: 'x' } }).result;
    await attempt(activities.interruptTurn, { session, turn_id: 'turn-1' }).result;
    expect(await turn.result).toMatchObject({ snapshot: expect.stringContaining('manifest.json') });
    const assess = { session, assess_id: 'a', number: 1, task: { text: 'x' }, subject: 'x', checklist: [] };
    expect(await attempt(activities.assess, assess).result).toBeDefined();
    const end = await attempt(activities.endAgent, endInput(bench)).result;
    expect(end.machine_state).toBe('destroyed');
    expect((await bench.provider.list()).machines).toEqual([]);
    const record = JSON.parse((await bench.ports.objects.get(recordKey(bench.agent)))?.toString() ?? '') as object;
    expect(record).toMatchObject({ spec: bench.spec });
  });

  it('is read once for an agent by each worker, except where an agent starts', async () => {
    await using bench = await activityBench();
    const session = refTo(bench.spec);
    const reads: string[] = [];
    const get = bench.ports.objects.get.bind(bench.ports.objects);
    Object.assign(bench.ports.objects, {
      get: async (key: string) => {
        if (key === placeOf(bench)) reads.push(key);
        return await get(key);
      },
    });
    const order = { session, turn_id: 'turn-1' };
    const { activities } = bench.worker();
    await attempt(activities.prepareAgent, { session }).result;
    await attempt(activities.interruptTurn, order).result;
    expect(reads).toHaveLength(1);
    await attempt(activities.prepareAgent, { session }).result;
    expect(reads).toHaveLength(2);
    const other = bench.worker().activities;
    await attempt(other.interruptTurn, order).result;
    await attempt(other.interruptTurn, order).result;
    expect(reads).toHaveLength(3);
  });
});

describe('a stored spec that cannot be used', () => {
  async function failures(bench: ActivityBench, session = refTo(bench.spec), workflow = bench.agent) {
    const { activities } = bench.worker();
    const order = { session, turn_id: 'turn-1' };
    const assess = { session, assess_id: 'a', number: 1, task: { text: 'x' }, subject: 'x', checklist: [] };
    return await Promise.all(
      [
        attempt(activities.prepareAgent, { session }, { workflow }),
        attempt(activities.runTurn, { ...TURN, session }, { workflow }),
        attempt(activities.assess, assess, { workflow }),
        attempt(activities.interruptTurn, order, { workflow }),
        attempt(activities.noticeTurn, { ...order, notice: { id: 'n', text: 'x' } }, { workflow }),
      ].map(async ({ result }) => await rejection(result)),
    );
  }

  it.each<readonly [string, (bench: ActivityBench) => Promise<unknown>, string]>([
    ['it is missing', (bench) => bench.ports.objects.delete(placeOf(bench)), 'is not in the object store'],
    [
      'it was changed',
      async (bench) => {
        const text = (await bench.ports.objects.get(placeOf(bench)))?.toString() ?? '';
        await bench.ports.objects.put(placeOf(bench), text.replace('example.com/app', 'example.com/payroll'));
      },
      'is not as it was stored',
    ],
    [
      'another installation has sealed it',
      async (bench) => {
        await bench.ports.objects.delete(placeOf(bench));
        await sealSpec({ objects: bench.ports.objects, key: signingKey(Buffer.alloc(32, 9)) }, bench.spec);
      },
      'and the key is',
    ],
    [
      'another attempt to spawn has stored it',
      async (bench) => {
        await bench.ports.objects.delete(placeOf(bench));
        await sealSpec(bench.ports, withSeal({ ...bench.spec, session_id: 'another' }));
      },
      'is not the one with which the agent was started',
    ],
    ['its agent has ended', (bench) => bench.ports.objects.put(recordKey(bench.agent), '{}'), 'the agent has ended'],
  ])('is refused by every activity, which says that %s', async (_what, change, reason) => {
    await using bench = await activityBench();
    await change(bench);
    for (const failure of await failures(bench)) expect(failure).toEqual(refused(reason));
    expect(bench.runner.opens).toEqual([]);
  });

  it('is refused as well for another agent, and under a name that is no part of a key', async () => {
    await using bench = await activityBench();
    const own = refTo(bench.spec);
    for (const failure of await failures(bench, own, 'w/default/u/bob/forged')) {
      expect(failure).toEqual(refused('it is the spec of another agent'));
    }
    const spawn = { ...own, spawn_id: `../${bench.agent.split('/').at(-1) ?? ''}/${own.spawn_id}` };
    for (const failure of await failures(bench, spawn)) expect(failure).toEqual(refused('its spawn id is not valid'));
    const { activities } = bench.worker();
    const nobody = attempt(activities.prepareAgent, {}, { workflow: bench.agent });
    expect(await rejection(nobody.result)).toEqual(refused('neither a spec nor a reference'));
    expect(bench.runner.opens).toEqual([]);
  });

  it('still lets the agent be ended, on its own machine alone', async () => {
    await using bench = await activityBench();
    const victim = withCredentials(agentSpec());
    const { activities } = bench.worker();
    const elsewhere = attempt(activities.endAgent, endInput(bench, refTo(victim)), { workflow: bench.agent });
    expect(await rejection(elsewhere.result)).toEqual(refused('it is the spec of another agent'));
    await bench.ports.objects.delete(placeOf(bench));
    const end = await attempt(activities.endAgent, endInput(bench)).result;
    expect(end.machine_state).toBe('destroyed');
    expect((await bench.provider.list()).machines).toEqual([]);
    expect((await bench.ports.objects.get(recordKey(bench.agent)))?.toString()).toContain('"canceled"');
  });
});
