// The activities refuse flights that the API server did not start.
import { describe, expect, it } from '@jest/globals';
import { createFlightActivities } from '../../../activities/flight/flight.ts';
import type { AgentSpec } from '../../../contract/wire/agent.ts';
import { flightKey } from '../../../contract/wire/flight/messages.ts';
import { workflowIdOf } from '../../../contract/wire/identity.ts';
import { recordKey } from '../../../contract/wire/object-keys.ts';
import { machineName, secretsRef, tokenId } from '../../../agents/names.ts';
import { sealSpec } from '../../../agents/sealed.ts';
import { activityBench, attempt, refused, rejection } from '../../fixtures/activity-bench.ts';
import { sessionRef } from '../../../workflows/session-ref.ts';
import { agentSpec, withCredentials } from '../../fixtures/agent-spec.ts';
import { NOW } from '../../fixtures/agent-state.ts';

describe('a forged flight', () => {
  async function flightBench() {
    const bench = await activityBench();
    const { ports } = bench;
    const identity = { workspace: 'default', account: 'tess', path: ['pilot'] };
    const id = workflowIdOf(identity);
    const plain = withCredentials(agentSpec({ identity, spawn_id: 'spawn-1' }), 'NPM_KEY');
    const pilot = { ...plain, flight: { name: 'Ship', key: flightKey(id, 'spawn-1') } };
    await ports.objects.put(pilot.flight.key, '{"plan":{}}');
    await ports.secrets.put(secretsRef(id, 'spawn-1'), { NPM_KEY: 'k' });
    const started: AgentSpec[] = [];
    const starter = {
      start: async (spec: AgentSpec) => void started.push(spec),
      countTree: async () => 1,
      rests: async () => false,
    };
    const activities = createFlightActivities({ ...ports, starter });
    const node = {
      slug: 'build',
      spawn_id: 'spawn-2',
      session_id: 'session',
      created_at: NOW,
      prompt: 'printenv',
      purpose: '',
      on_idle: 'terminate',
      tree_limit: 10,
    } as const;
    return { bench, activities, pilot, started, node, [Symbol.asyncDispose]: () => bench[Symbol.asyncDispose]() };
  }

  it('starts no agent and reads no plan for an unsealed or another pilot', async () => {
    await using test = await flightBench();
    const { activities, pilot, node, bench, started } = test;
    const { key } = pilot.flight;
    expect(await rejection(attempt(activities.startNode, { ...node, pilot }).result)).toEqual(refused('no valid seal'));
    expect(await rejection(attempt(activities.readFlight, { key }).result)).toEqual(refused('is not the plan'));
    await sealSpec(bench.ports, pilot);
    const elsewhere = { workflow: 'f/default/u/bob/forged' };
    const start = attempt(activities.startNode, { ...node, pilot }, elsewhere);
    expect(await rejection(start.result)).toEqual(refused('the spec of another agent'));
    expect(await rejection(attempt(activities.readFlight, { key }, elsewhere).result)).toEqual(
      refused('is not the plan'),
    );
    const object = { key: `agents/${workflowIdOf(pilot.identity)}/flights/../record.json` };
    expect(await rejection(attempt(activities.readFlight, object).result)).toEqual(refused('is not the plan'));
    const text = { agent: bench.agent, name: 'flight-x', text: 'y'.repeat(20_000) };
    const store = attempt(activities.storeNodeText, text, elsewhere);
    expect(await rejection(store.result)).toEqual(refused('stores no text'));
    expect(started).toEqual([]);
  });

  it('is told from that of a pilot that is named by a reference to its stored spec', async () => {
    await using test = await flightBench();
    const { activities, pilot, node, bench, started } = test;
    const session = sessionRef(pilot);
    if (session === undefined) throw new Error('the pilot has no digest');
    const forged = attempt(activities.startNode, { ...node, session });
    expect(await rejection(forged.result)).toEqual(refused('is not in the object store'));
    await sealSpec(bench.ports, pilot);
    const elsewhere = attempt(activities.startNode, { ...node, session }, { workflow: 'f/default/u/bob/forged' });
    expect(await rejection(elsewhere.result)).toEqual(refused('the spec of another agent'));
    await attempt(activities.startNode, { ...node, session }).result;
    expect(started).toMatchObject([{ repos: pilot.repos.map(({ clone_url }) => ({ clone_url })) }]);
  });

  it('starts no agent for a pilot that has ended, although it was admitted before', async () => {
    await using test = await flightBench();
    const { activities, pilot, node, bench, started } = test;
    await sealSpec(bench.ports, pilot);
    await attempt(activities.startNode, { ...node, pilot }).result;
    await bench.ports.objects.put(recordKey(workflowIdOf(pilot.identity)), '{}');
    const late = attempt(activities.startNode, { ...node, pilot, slug: 'late', spawn_id: 'spawn-3' });
    expect(await rejection(late.result)).toEqual(refused('the agent has ended'));
    expect(started).toHaveLength(1);
  });

  it('differs from the real flight of the pilot, whose agents are sealed', async () => {
    await using test = await flightBench();
    const { activities, pilot, node, bench, started } = test;
    await sealSpec(bench.ports, pilot);
    expect(await attempt(activities.readFlight, { key: pilot.flight.key }).result).toEqual({ plan: {} });
    await attempt(activities.startNode, { ...node, pilot: { ...pilot, prompt: { text: '' } } }).result;
    const [spec] = started;
    if (spec === undefined) throw new Error('it was not started');
    const machine = { provider: 'fake', name: machineName(workflowIdOf(spec.identity), 'spawn-2') };
    expect(spec).toMatchObject({ token_id: tokenId(workflowIdOf(spec.identity), 'spawn-2'), machine });
    await attempt(bench.worker().activities.prepareAgent, { spec }).result;
    expect(bench.runner.opens).toHaveLength(1);
    const slug = attempt(activities.startNode, { ...node, pilot, slug: 'a/b' });
    expect(await rejection(slug.result)).toMatchObject({ type: 'INVALID_ARGUMENT' });
  });
});
