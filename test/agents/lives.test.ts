// Several lives of one agent id: the real workflow and activities on a real Temporal server, with machines of the fake
// provider.
import { randomUUID } from 'node:crypto';
import { WorkflowExecutionAlreadyStartedError } from '@temporalio/client';
import { expect, it, jest } from '@jest/globals';
import { createAgentActivities } from '../../activities/agent.ts';
import type { AgentPorts } from '../../activities/ports.ts';
import { createAgentControl } from '../../agents/control.ts';
import { closeLife, reopenLife } from '../../agents/lives.ts';
import { followToEnd } from '../../agents/log.ts';
import { machineLabels } from '../../agents/machine.ts';
import { addressOfIdentity } from '../../agents/names.ts';
import { namespaceIdOf } from '../../agents/namespace-id.ts';
import { AGENT_TIMING } from '../../agents/platform.ts';
import type { AgentPlatform } from '../../agents/platform.ts';
import { readRecord } from '../../agents/record.ts';
import { latestSnapshot } from '../../agents/snapshots.ts';
import { prepareSpawn, startAgent } from '../../agents/start.ts';
import type { AgentSpec } from '../../contract/wire/agent.ts';
import type { LogEntry } from '../../contract/wire/events.ts';
import { workflowIdOf } from '../../contract/wire/identity.ts';
import { agentRecord, agentStatus } from '../../contract/wire/status.ts';
import { recordKey } from '../../contract/wire/object-keys.ts';
import { createMemoryEventLog } from '../../drivers/events/memory.ts';
import { createFakeProvider } from '../../drivers/machines/fake.ts';
import { createMemoryObjectStore } from '../../drivers/objects/memory.ts';
import { createMemorySecretStore } from '../../drivers/secrets/memory.ts';
import { createMemoryTokenStore } from '../../drivers/tokens/memory.ts';
import { temporaryFolder } from '../drivers/temporary-folder.ts';
import { attempt, refused, rejection } from '../fixtures/activity-bench.ts';
import { agentSpec, withCredentials } from '../fixtures/agent-spec.ts';
import { creation } from '../fixtures/creation.ts';
import { createFakeRunner } from '../fixtures/fake-runner.ts';
import type { FakeRunner } from '../fixtures/fake-runner.ts';
import { TEST_KEY } from '../fixtures/signing-key.ts';
import { startWorker } from '../fixtures/temporal.ts';
import { sharedTemporalForFile } from '../fixtures/temporal-for-file.ts';
import { eventually } from '../fixtures/waiting.ts';

jest.setTimeout(120_000);

const temporal = sharedTemporalForFile();

async function bench() {
  const folder = await temporaryFolder();
  const provider = createFakeProvider(folder.path);
  const runners = new Map<string, FakeRunner>();
  const runnerOn = (name: string): FakeRunner => {
    const runner = runners.get(name) ?? createFakeRunner(() => provider.connect(name));
    runners.set(name, runner);
    return runner;
  };
  const ports: AgentPorts = {
    machines: { fake: provider },
    runners: { find: async ({ name }) => runnerOn(name).client, ensure: async ({ name }) => runnerOn(name).client },
    objects: createMemoryObjectStore(),
    events: createMemoryEventLog(),
    secrets: createMemorySecretStore(),
    tokenStore: createMemoryTokenStore(),
    key: TEST_KEY,
    namespaceId: namespaceIdOf(temporal.client),
    control: createAgentControl(temporal.client),
    credentials: {},
    api: () => undefined,
    handover: new AbortController().signal,
    report: () => undefined,
  };
  const taskQueue = randomUUID();
  const activities = createAgentActivities(ports);
  const worker = await startWorker(temporal, taskQueue, activities);
  const site = { client: temporal.client, taskQueue, inTime: async <T>(act: () => Promise<T>) => await act() };
  const start = async (spec: AgentSpec) =>
    await startAgent(site, await prepareSpawn(ports, spec, { secrets: { KEY: 'value' } }));
  const client = temporal.client;
  const platform: AgentPlatform = { ...ports, temporal: client, taskQueue, home: folder.path, timing: AGENT_TIMING };
  return {
    activities,
    platform,
    ports,
    provider,
    runnerOn,
    start,
    /** One turn, then the end. */
    live: async (spec: AgentSpec): Promise<void> => {
      expect(await start(spec)).toBeUndefined();
      const runner = runnerOn(spec.machine.name);
      await eventually(() => runner.prompts.length === 1, 'the prompt');
      runner.endTurn();
      await eventually(async () => (await latestSnapshot(ports.objects, spec)) !== undefined, 'the snapshot');
      await kill(spec);
    },
    [Symbol.asyncDispose]: async () => {
      await worker.stop();
      await folder[Symbol.asyncDispose]();
    },
  };
}

const handleOf = (spec: AgentSpec) => temporal.client.workflow.getHandle(workflowIdOf(spec.identity));

async function kill(spec: AgentSpec): Promise<void> {
  await handleOf(spec).signal('kill', { id: randomUUID(), from: 'tess' });
  await handleOf(spec).result();
}

/** What a viewer from the beginning sees until the agent has ended. */
async function viewed(platform: AgentPlatform, { identity }: AgentSpec): Promise<readonly LogEntry[]> {
  const seen: LogEntry[] = [];
  const signal = AbortSignal.timeout(60_000);
  for await (const entry of followToEnd(platform, addressOfIdentity(identity), 0, signal)) seen.push(entry);
  return seen;
}

const numbers = (entries: readonly LogEntry[], source: LogEntry['source']): number[] =>
  entries.filter((entry) => entry.source === source).map(({ seq }) => seq);

const phases = (entries: readonly LogEntry[]): string[] =>
  entries.flatMap(({ event }) => (event.type === 'phase' ? [event.phase] : []));

it('a second life has machine, token and secrets of its own, its events go on, and nothing late of the first touches it', async () => {
  await using each = await bench();
  const { activities, ports, provider, runnerOn } = each;
  const first = withCredentials(agentSpec());
  const agent = workflowIdOf(first.identity);
  await each.live(first);
  const record = await readRecord(ports, agent);
  if (record === undefined) throw new Error('the first life has left no record');
  const told = await ports.events.read(agent, 0, 1_000);

  // The id is in use until the life is closed.
  const hasty = await each.start(withCredentials(agentSpec({ identity: first.identity })));
  expect(hasty?.cause).toBeInstanceOf(WorkflowExecutionAlreadyStartedError);
  const events_after = await closeLife(ports, agent, first.spawn_id);
  expect(events_after).toBe(numbers(told, 'workflow').at(-1));
  expect(await closeLife(ports, agent, first.spawn_id)).toBe(events_after);

  const second = withCredentials(agentSpec({ identity: first.identity, events_after }));
  for (const nameOf of [
    (spec: AgentSpec) => spec.machine.name,
    (spec: AgentSpec) => spec.token_id,
    (spec: AgentSpec) => spec.secrets?.ref,
  ]) {
    expect(nameOf(second)).not.toBe(nameOf(first));
  }
  expect(await each.start(second)).toBeUndefined();
  const runner = runnerOn(second.machine.name);
  const untilHeard = async (last: number | undefined, what: string): Promise<void> =>
    await eventually(async () => (await ports.events.lastSeq(agent, 'runner')) > (last ?? 0), what);
  await untilHeard(numbers(told, 'runner').at(-1), 'the turn of the second life');

  const before = await ports.events.read(agent, 0, 1_000);
  const snapshot = await latestSnapshot(ports.objects, second);
  // A late activity of the first life: its machine exists again, and its end brings events that were not yet published.
  await provider.create({ name: first.machine.name, labels: machineLabels(agent, first.spawn_id) }, creation());
  const unheard = { type: 'note', text: 'too late' } as const;
  const events = [{ seq: (numbers(before, 'workflow').at(-1) ?? 0) + 1, at: first.created_at, event: unheard }];
  await attempt(activities.endAgent, { spec: first, record, events }).result;
  expect(await rejection(attempt(activities.prepareAgent, { spec: first }).result)).toEqual(
    refused('the agent has ended'),
  );
  await handleOf(first).signal('kill', { id: 'late', from: 'tess', spawn_id: first.spawn_id });

  expect((await provider.list()).machines.map(({ name }) => name)).toEqual([second.machine.name]);
  expect(await ports.tokenStore.get(second.token_id ?? '')).toMatchObject({ agent });
  expect(await ports.secrets.get(second.secrets?.ref ?? '')).toMatchObject({ KEY: 'value' });
  expect(await readRecord(ports, agent)).toBeUndefined();
  expect(await latestSnapshot(ports.objects, second)).toEqual(snapshot);
  expect(await ports.events.read(agent, 0, 1_000)).toEqual(before);
  runner.endTurn();
  const seen = viewed(each.platform, first);
  await untilHeard(numbers(before, 'runner').at(-1), 'the end of the turn');
  await kill(second);

  const whole = await ports.events.read(agent, 0, 1_000);
  for (const source of ['workflow', 'runner'] as const) {
    const seqs = numbers(whole, source);
    expect(seqs).toEqual(seqs.map((_seq, index) => index + 1));
  }
  const later = whole.slice(told.length);
  expect(later[0]).toMatchObject({ source: 'workflow', seq: events_after + 1, event: { phase: 'starting' } });
  expect(phases(later).at(-1)).toBe('canceled');
  expect((await readRecord(ports, agent))?.spec).toMatchObject({ spawn_id: second.spawn_id, events_after });
  // Neither spec can start the agent again.
  for (const spec of [first, second]) {
    expect(await rejection(attempt(activities.prepareAgent, { spec }).result)).toEqual(refused('the agent has ended'));
  }
  // A viewer from the beginning has seen both lives.
  expect(await seen).toEqual(whole);
});

const AT = '2026-11-21T08:00:00.000Z';

/** Stores of an agent that has ended, with the machine in that state. */
async function endedAgent(state: 'gone' | 'running') {
  const spec = agentSpec();
  const agent = workflowIdOf(spec.identity);
  const stores = { objects: createMemoryObjectStore(), events: createMemoryEventLog() };
  const vm = { name: spec.machine.name, provider: 'fake', isolation: 'none', state };
  const known = { phase: 'canceled', phase_since: AT, ended_at: AT, vm, pending_input: false } as const;
  const record = agentRecord(spec, agentStatus(spec, known));
  await stores.objects.put(recordKey(agent), JSON.stringify(record));
  return { agent, record, spec, stores };
}

it('a life whose end the log lacks is closed there as well, so that nobody waits for it', async () => {
  const { agent, spec, stores } = await endedAgent('gone');
  const starting = { type: 'phase', phase: 'starting' } as const;
  await stores.events.append(agent, 'workflow', [{ seq: 1, at: AT, event: starting }]);
  expect(await closeLife(stores, agent, spec.spawn_id)).toBe(2);
  expect(phases(await stores.events.read(agent, 0, 10))).toEqual(['starting', 'canceled']);
});

it('a life that nothing followed gets its record back', async () => {
  const { agent, record, spec, stores } = await endedAgent('gone');
  await closeLife(stores, agent, spec.spawn_id);
  expect(await readRecord(stores, agent)).toBeUndefined();
  await reopenLife(stores.objects, agent, spec.spawn_id);
  await reopenLife(stores.objects, agent, spec.spawn_id);
  expect(await readRecord(stores, agent)).toEqual(record);
});

it('a life is not closed while its machine is there, nor for a spawn that has not ended', async () => {
  const { agent, spec, stores } = await endedAgent('running');
  await expect(closeLife(stores, agent, spec.spawn_id)).rejects.toMatchObject({ code: 'UNAVAILABLE' });
  await expect(closeLife(stores, agent, 'another')).rejects.toMatchObject({ code: 'FAILED_PRECONDITION' });
  expect(await readRecord(stores, agent)).toBeDefined();
});
