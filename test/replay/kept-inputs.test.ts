// Today's activities accept the inputs of earlier builds: an activity that was scheduled before an upgrade runs after
// it.
import { describe, expect, it } from '@jest/globals';
import { createFanoutActivities } from '../../activities/fanout/fanout.ts';
import { planSecretsRef } from '../../activities/fanout/plan.ts';
import { createFlightActivities } from '../../activities/flight/flight.ts';
import type { RunTurnInput } from '../../contract/wire/activities.ts';
import type { AgentSpec, OfAgent, SessionRef } from '../../contract/wire/agent.ts';
import { planKey } from '../../contract/wire/fanout/plan.ts';
import type { FanoutPlan } from '../../contract/wire/fanout/plan.ts';
import { flightIdOf, flightKey } from '../../contract/wire/flight/messages.ts';
import type { StoredFlight } from '../../contract/wire/flight/messages.ts';
import { parentOf, parseWorkflowId, workflowIdOf } from '../../contract/wire/identity.ts';
import { machineName, secretsRef, tokenId } from '../../agents/names.ts';
import { sealSpec } from '../../agents/sealed.ts';
import { activityBench, attempt } from '../fixtures/activity-bench.ts';
import type { ActivityBench } from '../fixtures/activity-bench.ts';
import { agentSpec } from '../fixtures/agent-spec.ts';
import { eventually } from '../fixtures/waiting.ts';
import { inputsOf, keptBuilds } from './kept-inputs.ts';
import { creation } from '../fixtures/creation.ts';

const FANOUT = {
  id: '7f1d2a30-58f5-4a3c-9a51-0d5f0c6f3a11',
  place: { workspace: 'default', account: 'tess', path: [] },
};
const PLAN_KEY = planKey(FANOUT.place, FANOUT.id);

/** A plan of build b35f5f2, as a fan-out without a parent wrote it. */
const PLAN: FanoutPlan = {
  ...FANOUT,
  description: 'Audit {}.',
  agents: Array.from({ length: 10 }, (_, index) => ({ slug: `audit-${index}`, item: `item ${index}` })),
  secrets_ref: planSecretsRef(PLAN_KEY),
  tree_limit: 100,
  shared: {
    provider: 'local',
    secret_names: [],
    branches: [],
    repos: [],
    backend: 'fake',
    on_idle: 'keep_alive',
    dequeue_strategy: 'all',
    tasks: [],
    created_by: 'tess',
  },
  created_at: '2026-11-29T09:00:00.000Z',
};

const FLIGHT: StoredFlight = { plan: { name: 'Test', notes: '', settings: {}, nodes: [] }, tree_limit: 100 };

const starter = { start: async () => undefined, countTree: async () => 0, rests: async () => false };

/** Runs each activity with in-memory drivers; first stores what it needs. */
const CARRIED_OUT: Readonly<Record<string, (bench: ActivityBench, input: never) => Promise<unknown>>> = {
  prepareAgent: async (bench, input) => attempt(agentActivities(bench).prepareAgent, input).result,
  runTurn: async (bench, input: RunTurnInput) => {
    await makeMachine(bench, input);
    const turn = attempt(agentActivities(bench).runTurn, input);
    await Promise.race([turn.result, eventually(() => bench.runner.prompts.length === 1, 'the prompt')]);
    bench.runner.endTurn();
    return await turn.result;
  },
  assess: async (bench, input: OfAgent) => {
    await makeMachine(bench, input);
    return await attempt(agentActivities(bench).assess, input as never).result;
  },
  interruptTurn: async (bench, input: OfAgent & { readonly turn_id: string }) => {
    await makeMachine(bench, input);
    await attempt(agentActivities(bench).interruptTurn, input).result;
    return bench.runner.interrupts.includes(input.turn_id);
  },
  noticeTurn: async (bench, input: OfAgent) => {
    await makeMachine(bench, input);
    await attempt(agentActivities(bench).noticeTurn, input as never).result;
    return bench.runner.notices.length === 1;
  },
  endAgent: async (bench, input: OfAgent) => {
    await makeMachine(bench, input);
    return await attempt(agentActivities(bench).endAgent, input as never).result;
  },
  killAgents: async (bench, input) => attempt(agentActivities(bench).killAgents, input).result,
  publishEvents: async (bench, input: { readonly agent: string; readonly events: readonly { seq: number }[] }) => {
    // The log continues after its last event.
    const events = input.events.map((event, index) => ({ ...event, seq: index + 1 }));
    await attempt(agentActivities(bench).publishEvents, { ...input, events } as never).result;
    return (await bench.ports.events.lastSeq(input.agent, 'workflow')) === events.length;
  },
  startPlanned: async (bench, input) => attempt((await fanout(bench, input)).startPlanned, input).result,
  dropPlanned: async (bench, input) => {
    await attempt((await fanout(bench, input)).dropPlanned, input).result;
    return true;
  },
  restingPlanned: async (bench, input) => attempt((await fanout(bench, input)).restingPlanned, input).result,
  closeFanout: async (bench, input: { readonly plan: string }) => {
    await attempt((await fanout(bench, input)).closeFanout, input).result;
    return (await bench.ports.objects.get(input.plan)) === undefined;
  },
  readFlight: async (bench, input: { readonly key: string }) => {
    await bench.ports.objects.put(input.key, JSON.stringify(FLIGHT));
    return await attempt(flight(bench).readFlight, input).result;
  },
  startNode: async (bench, input) => {
    await attempt(flight(bench).startNode, input).result;
    return true;
  },
  storeNodeText: async (bench, input: { readonly agent: string }) => {
    const agent = parseWorkflowId(input.agent);
    const pilot = agent === undefined ? undefined : parentOf(agent);
    if (pilot === undefined) throw new Error(`${input.agent} is no agent of a flight`);
    return await attempt(flight(bench).storeNodeText, input as never, { workflow: flightIdOf(pilot) }).result;
  },
};

/** What the input refers to: texts and secrets that are stored outside the history. */
async function storeReferences(bench: ActivityBench, value: unknown): Promise<void> {
  if (typeof value !== 'object' || value === null) return;
  const { ref, text, names } = value as { readonly ref?: string; readonly text?: string; readonly names?: string[] };
  if (ref !== undefined && text !== undefined) await bench.ports.objects.put(ref, text);
  if (ref !== undefined && names !== undefined)
    await bench.ports.secrets.put(ref, Object.fromEntries(names.map((name) => [name, 'value'])));
  for (const inner of Object.values(value)) await storeReferences(bench, inner);
}

/**
 * The input as the API server of that build made it, from identity and spawn id. The recorder's stubs chose other names
 * for machines, secrets and plans.
 */
function asServed(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(asServed);
  if (typeof value !== 'object' || value === null) return value;
  const inner = Object.fromEntries(Object.entries(value).map(([name, each]) => [name, asServed(each)]));
  if ('plan' in inner && inner['plan'] === 'plan') return { ...inner, plan: PLAN_KEY };
  if (!('identity' in inner && 'spawn_id' in inner && 'machine' in inner)) return inner;
  const spec = inner as unknown as AgentSpec;
  const id = workflowIdOf(spec.identity);
  return {
    ...spec,
    machine: { ...spec.machine, name: machineName(id, spec.spawn_id) },
    ...(spec.secrets === undefined ? {} : { secrets: { ...spec.secrets, ref: secretsRef(id, spec.spawn_id) } }),
    ...(spec.token_id === undefined ? {} : { token_id: tokenId(id, spec.spawn_id) }),
    ...(spec.flight === undefined ? {} : { flight: { ...spec.flight, key: flightKey(id, spec.spawn_id) } }),
  };
}

/** The spec that an input names; one that fits the reference if the input has no spec. */
function specOf({ session, spec }: OfAgent): AgentSpec {
  if (spec !== undefined) return spec;
  const identity = parseWorkflowId(session?.agent ?? '');
  if (session === undefined || identity === undefined) throw new Error('the input names no agent');
  const { spawn_id, seal } = session;
  const flight = { name: 'Test', key: flightKey(session.agent, spawn_id) };
  return { ...agentSpec({ identity, spawn_id, flight }), seal };
}

/** The worker seals the specs of running agents at its first start. */
async function sealSpecs(bench: ActivityBench, activity: string, input: unknown): Promise<void> {
  const { session, spec, pilot, key } = (input ?? {}) as {
    readonly session?: SessionRef;
    readonly spec?: AgentSpec;
    readonly pilot?: AgentSpec;
    readonly key?: string;
  };
  const referred = session === undefined ? undefined : specOf({ session });
  for (const each of [spec, pilot, referred]) if (each !== undefined) await sealSpec(bench.ports, each);
  if (activity !== 'readFlight' || key === undefined) return;
  const [, id = '', spawn = ''] = /^agents\/(.*)\/flights\/([^/]+)\.json$/.exec(key) ?? [];
  const identity = parseWorkflowId(id);
  if (identity === undefined) throw new Error(`${key} is no key of a flight`);
  await sealSpec(bench.ports, { ...agentSpec({ identity, spawn_id: spawn }), flight: { name: 'Test', key } });
}

/** As that build wrote it: it recorded the agent only. */
async function makeMachine(bench: ActivityBench, input: OfAgent): Promise<void> {
  const { identity, machine } = specOf(input);
  await bench.provider.create({ name: machine.name, labels: { agent: workflowIdOf(identity) } }, creation());
}

function agentActivities(bench: ActivityBench) {
  return bench.worker().activities;
}

async function fanout(bench: ActivityBench, { plan }: { readonly plan: string }) {
  await bench.ports.objects.put(plan, JSON.stringify(PLAN));
  return createFanoutActivities({ ...bench.ports, starter });
}

function flight(bench: ActivityBench) {
  return createFlightActivities({ ...bench.ports, starter });
}

describe.each(keptBuilds())('activities as scheduled by build %s', (build) => {
  const inputs = inputsOf(build);

  it('every activity is covered', () => {
    expect([...new Set(inputs.map(({ activity }) => activity))].toSorted()).toEqual(
      Object.keys(CARRIED_OUT).toSorted(),
    );
  });

  it.each(inputs.map((each, index) => ({ ...each, index })))('$activity as in $file ($index)', async (kept) => {
    await using bench = await activityBench();
    // For the activities this is a local machine.
    Object.assign(bench.ports.machines, { local: bench.provider });
    const input = asServed(kept.input);
    await storeReferences(bench, input);
    await sealSpecs(bench, kept.activity, input);
    const carryOut = CARRIED_OUT[kept.activity];
    if (carryOut === undefined) throw new Error(`there is no activity ${kept.activity} any more`);
    const result = await carryOut(bench, input as never);
    expect(result).toBeTruthy();
  });
});
