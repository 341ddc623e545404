// Rounds of the sweep over machines of the fake provider, with agents on a real Temporal server.
import { randomUUID } from 'node:crypto';
import { beforeAll, expect, jest, test } from '@jest/globals';
import { createEndUnowned } from '../../../activities/end-unowned.ts';
import type { AgentPorts } from '../../../activities/ports.ts';
import { machineLabels } from '../../../agents/machine.ts';
import { namespaceIdOf } from '../../../agents/namespace-id.ts';
import { sealSpec } from '../../../agents/sealed.ts';
import { startRootAgent } from '../../../agents/start.ts';
import { CLOSE_GRACE_MS } from '../../../agents/sweep/ownership.ts';
import { createSweep } from '../../../agents/sweep/sweep.ts';
import type { AgentRecord, AgentSpec } from '../../../contract/wire/agent.ts';
import { workflowIdOf } from '../../../contract/wire/identity.ts';
import { recordKey } from '../../../contract/wire/object-keys.ts';
import { createMemoryEventLog } from '../../../drivers/events/memory.ts';
import { signingKey } from '../../../drivers/keys/signing-key.ts';
import { createFakeProvider } from '../../../drivers/machines/fake.ts';
import { createMemoryObjectStore } from '../../../drivers/objects/memory.ts';
import { createMemorySecretStore } from '../../../drivers/secrets/memory.ts';
import { createMemoryTokenStore } from '../../../drivers/tokens/memory.ts';
import { temporaryFolder } from '../../drivers/temporary-folder.ts';
import { agentSpec } from '../../fixtures/agent-spec.ts';
import { creation } from '../../fixtures/creation.ts';
import { createFakeRunner } from '../../fixtures/fake-runner.ts';
import { TEST_KEY } from '../../fixtures/signing-key.ts';
import { stubActivities } from '../../fixtures/stub-activities.ts';
import { startWorker } from '../../fixtures/temporal.ts';
import { sharedTemporalForFile } from '../../fixtures/temporal-for-file.ts';

jest.setTimeout(60_000);

const temporal = sharedTemporalForFile();
const OTHER_KEY = signingKey(Buffer.alloc(32, 8));
/** The queue of a worker with stub activities. Other queues have no worker. */
const SERVED = randomUUID();
beforeAll(async () => {
  const worker = await startWorker(temporal, SERVED, stubActivities().activities);
  // Before the server, because the worker could not end without it.
  temporal.beforeStop(() => worker.stop());
}, 60_000);

async function bench() {
  const folder = await temporaryFolder();
  const provider = createFakeProvider(folder.path);
  const key = TEST_KEY;
  let connected = '';
  const runner = createFakeRunner(() => provider.connect(connected));
  const reports: string[] = [];
  const problems: unknown[] = [];
  const ports: AgentPorts = {
    machines: { fake: provider },
    runners: {
      find: async ({ name }) => {
        connected = name;
        return runner.client;
      },
      ensure: async () => runner.client,
    },
    objects: createMemoryObjectStore(),
    events: createMemoryEventLog(),
    secrets: createMemorySecretStore(),
    tokenStore: createMemoryTokenStore(),
    key,
    namespaceId: namespaceIdOf(temporal.client),
    control: { signal: async () => undefined, reportUsage: async () => ({}), result: async () => undefined },
    credentials: {},
    api: () => undefined,
    handover: new AbortController().signal,
    report: (fact) => reports.push(fact),
  };
  /** The sweep of a new worker, without the memory of the last one. */
  const round = async (later = CLOSE_GRACE_MS): Promise<void> =>
    await createSweep({
      ...ports,
      client: temporal.client,
      providers: [provider],
      end: createEndUnowned(ports),
      now: () => new Date(Date.now() + later),
      report: { ended: () => undefined, problem: (problem) => problems.push(problem) },
    }).round(new AbortController().signal);
  return {
    ports,
    provider,
    runner,
    reports,
    problems,
    round,
    names: async () => (await provider.list()).map(({ name }) => name),
    record: async (spec: AgentSpec): Promise<AgentRecord | undefined> => {
      const content = await ports.objects.get(recordKey(workflowIdOf(spec.identity)));
      return content === undefined ? undefined : (JSON.parse(content.toString()) as AgentRecord);
    },
    make: async (spec: AgentSpec, owner: { readonly stack?: string; readonly namespace?: string } = {}) => {
      const home = { stack: key.id, namespace: await ports.namespaceId(), ...owner };
      const labels = machineLabels(workflowIdOf(spec.identity), spec.spawn_id, home);
      await sealSpec(ports, spec);
      await provider.create({ name: spec.machine.name, labels }, creation());
      return spec;
    },
    [Symbol.asyncDispose]: () => folder[Symbol.asyncDispose](),
  };
}

const start = (spec: AgentSpec, taskQueue = randomUUID()): Promise<void> =>
  startRootAgent(temporal.client, taskQueue, spec);

const handleOf = (spec: AgentSpec): ReturnType<typeof temporal.client.workflow.getHandle> =>
  temporal.client.workflow.getHandle(workflowIdOf(spec.identity));

test('a machine left by a killed worker is ended in one round, with snapshot, record and log', async () => {
  await using each = await bench();
  const spec = await each.make(agentSpec());
  await start(spec);
  // The machine is not recorded anywhere, and nobody cleans up.
  await handleOf(spec).terminate('by hand');
  await each.round(0);
  expect(await each.names()).toEqual([spec.machine.name]);
  await each.round();
  expect(await each.names()).toEqual([]);
  expect(each.runner.stops).toHaveLength(1);
  expect(await each.record(spec)).toMatchObject({
    status: { phase: 'canceled', vm: { state: 'gone' } },
    snapshot: expect.stringMatching(/manifest\.json$/),
  });
  const events = await each.ports.events.read(workflowIdOf(spec.identity), 0, 10);
  expect(events.map(({ event }) => event.type)).toEqual(['session_end', 'phase']);
  expect(each.problems).toEqual([]);
});

test('an agent that is being created, and an idle one, keep their machines', async () => {
  await using each = await bench();
  const made = await each.make(agentSpec());
  await start(made);
  const resting = await each.make(agentSpec());
  await start(resting, SERVED);
  await each.round();
  expect((await each.names()).toSorted()).toEqual([made.machine.name, resting.machine.name].toSorted());
  await Promise.all([handleOf(made).terminate(), handleOf(resting).terminate()]);
});

test('the sweep leaves a child that was killed with its tree to its parent until the parent has closed', async () => {
  await using each = await bench();
  const boss = agentSpec();
  const identity = { ...boss.identity, path: [...boss.identity.path, 'kid'] };
  const kid = await each.make(agentSpec({ identity }));
  await start(boss, SERVED);
  await start(kid, SERVED);
  await handleOf(kid).signal('kill', { id: randomUUID(), from: 'boss', with_parent: true, leave_machine: true });
  await handleOf(kid).result();
  await each.round();
  expect(await each.names()).toEqual([kid.machine.name]);
  await handleOf(boss).terminate('by hand');
  await each.round();
  expect(await each.names()).toEqual([]);
  expect(await each.record(kid)).toMatchObject({ status: { phase: 'canceled', reason: 'killed by boss' } });
});

test('the machine of an earlier spawn is ended, that of the running one is not', async () => {
  await using each = await bench();
  const old = await each.make(agentSpec());
  const young = await each.make(agentSpec({ identity: old.identity, created_at: '2026-11-22T08:00:00.000Z' }));
  await start(young);
  await each.round();
  expect(await each.names()).toEqual([young.machine.name]);
  await handleOf(young).terminate();
});

test('nothing is ended if Temporal does not know the agents', async () => {
  await using each = await bench();
  await each.make(agentSpec());
  await each.make(agentSpec(), { namespace: 'the-namespace-before' });
  await each.round();
  expect(await each.names()).toHaveLength(2);
  expect(each.problems).toEqual([]);
});

test('machines of another installation are not ended, even if their agents have closed', async () => {
  await using each = await bench();
  const spec = await each.make(agentSpec(), { stack: OTHER_KEY.id });
  await start(spec);
  await handleOf(spec).terminate();
  await each.round();
  expect(await each.names()).toEqual([spec.machine.name]);
});

test('a machine that cannot be ended is reported, and the others are ended', async () => {
  await using each = await bench();
  const specs = [await each.make(agentSpec()), await each.make(agentSpec())];
  for (const spec of specs) {
    await start(spec);
    await handleOf(spec).terminate();
  }
  const { destroy } = each.provider;
  const stuck = specs[0]?.machine.name ?? '';
  Object.assign(each.provider, {
    destroy: async (name: string) => {
      if (name === stuck) throw new Error('the disk is busy');
      await destroy(name);
    },
  });
  await each.round();
  expect(await each.names()).toEqual([stuck]);
  expect(each.problems).toEqual([{ provider: 'fake', machine: stuck, error: 'the disk is busy' }]);
});
