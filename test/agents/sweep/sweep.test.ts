// Rounds of the sweep over machines of the fake provider, with agents on a real Temporal server.
import { randomUUID } from 'node:crypto';
import { beforeAll, expect, jest, test } from '@jest/globals';
import { MurmurError } from '../../../contract/wire/errors.ts';
import { workflowIdOf } from '../../../contract/wire/identity.ts';
import { signingKey } from '../../../drivers/keys/signing-key.ts';
import { agentSpec } from '../../fixtures/agent-spec.ts';
import { stubActivities } from '../../fixtures/stub-activities.ts';
import { sweepBench } from '../../fixtures/sweep-bench.ts';
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

test('a machine that a killed worker left is ended in one round, with a last snapshot, record and log', async () => {
  await using each = await sweepBench(temporal);
  const spec = await each.make(agentSpec());
  await each.start(spec);
  // Nobody has written down that the machine is there, and nobody cleans up.
  await each.handleOf(spec).terminate('by hand');
  await each.round(0);
  expect(await each.names()).toEqual([spec.machine.name]);
  await each.round();
  expect(await each.names()).toEqual([]);
  expect(each.runner(spec.machine.name).stops).toHaveLength(1);
  expect(await each.record(spec)).toMatchObject({
    status: { phase: 'canceled', vm: { state: 'gone' } },
    snapshot: expect.stringMatching(/manifest\.json$/),
  });
  const events = await each.ports.events.read(workflowIdOf(spec.identity), 0, 10);
  expect(events.map(({ event }) => event.type)).toEqual(['session_end', 'phase']);
  expect(each.problems).toEqual([]);
});

test('an agent that is being made, and one at rest, keep their machines', async () => {
  await using each = await sweepBench(temporal);
  const made = await each.make(agentSpec());
  await each.start(made);
  const resting = await each.make(agentSpec());
  await each.start(resting, SERVED);
  await each.round();
  expect((await each.names()).toSorted()).toEqual([made.machine.name, resting.machine.name].toSorted());
  await Promise.all([each.handleOf(made).terminate(), each.handleOf(resting).terminate()]);
});

test('a child that was killed with its tree is left to its parent until the parent has closed', async () => {
  await using each = await sweepBench(temporal);
  const boss = agentSpec();
  const identity = { ...boss.identity, path: [...boss.identity.path, 'kid'] };
  const kid = await each.make(agentSpec({ identity }));
  await each.start(boss, SERVED);
  await each.start(kid, SERVED);
  await each.handleOf(kid).signal('kill', { id: randomUUID(), from: 'boss', with_parent: true, leave_machine: true });
  await each.handleOf(kid).result();
  await each.round();
  expect(await each.names()).toEqual([kid.machine.name]);
  await each.handleOf(boss).terminate('by hand');
  await each.round();
  expect(await each.names()).toEqual([]);
  expect(await each.record(kid)).toMatchObject({ status: { phase: 'canceled', reason: 'killed by boss' } });
});

test('an earlier life of an agent that lives again loses its machine, the new one does not', async () => {
  await using each = await sweepBench(temporal);
  const old = await each.make(agentSpec());
  const young = await each.make(agentSpec({ identity: old.identity, created_at: '2026-11-22T08:00:00.000Z' }));
  await each.start(young);
  await each.round();
  expect(await each.names()).toEqual([young.machine.name]);
  // Record and log have the name of both: with a record the one that lives would count as ended.
  expect(await each.record(young)).toBeUndefined();
  expect(await each.ports.events.read(workflowIdOf(young.identity), 0, 10)).toEqual([]);
  await each.handleOf(young).terminate();
});

test('under a Temporal that knows no agent nothing is ended', async () => {
  await using each = await sweepBench(temporal);
  await each.make(agentSpec());
  await each.make(agentSpec(), { namespace: 'the-namespace-before' });
  await each.round();
  expect(await each.names()).toHaveLength(2);
  expect(each.problems).toEqual([]);
});

test('machines of another installation are not touched, though their agents have closed', async () => {
  await using each = await sweepBench(temporal);
  const spec = await each.make(agentSpec(), { stack: OTHER_KEY.id });
  await each.start(spec);
  await each.handleOf(spec).terminate();
  await each.round();
  expect(await each.names()).toEqual([spec.machine.name]);
});

test('a host that cannot be asked is reported once, and machines of the others are ended', async () => {
  await using each = await sweepBench(temporal);
  const spec = await each.make(agentSpec());
  await each.start(spec);
  await each.handleOf(spec).terminate();
  const { list } = each.provider;
  const reason = new MurmurError('UNAVAILABLE', 'the connection to host build-2 is lost');
  Object.assign(each.provider, {
    list: async (...wanted: Parameters<typeof list>) => ({
      ...(await list(...wanted)),
      unreachable: [{ host: 'build-2', reason }],
    }),
  });
  const sweep = each.sweep();
  await sweep.round(new AbortController().signal);
  await sweep.round(new AbortController().signal);
  expect(await each.names()).toEqual([]);
  expect(each.problems).toEqual([{ provider: 'fake', host: 'build-2', error: reason.message }]);
});

test('a machine that cannot be ended stops no other, and is reported', async () => {
  await using each = await sweepBench(temporal);
  const specs = [await each.make(agentSpec()), await each.make(agentSpec())];
  for (const spec of specs) {
    await each.start(spec);
    await each.handleOf(spec).terminate();
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
