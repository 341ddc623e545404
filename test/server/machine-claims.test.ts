// Several processes that end one machine at once: sweeps of two workers, `machine rm` and `kill`. On real local machines,
// with stores in folders and a real Temporal server.
import { expect, jest, test } from '@jest/globals';
import { readRecord } from '../../agents/record.ts';
import type { AgentSpec } from '../../contract/wire/agent.ts';
import { absolutePathOf, workflowIdOf } from '../../contract/wire/identity.ts';
import { recordKey } from '../../contract/wire/object-keys.ts';
import { createFakeRunner } from '../fixtures/fake-runner.ts';
import { closedAgent, leaveReport, localSpec, sweepStack } from '../fixtures/sweep-stack.ts';
import type { Stack, StackProcess } from '../fixtures/sweep-stack.ts';
import { sharedTemporalForFile } from '../fixtures/temporal-for-file.ts';
import { gate } from '../fixtures/waiting.ts';
import { ACCOUNT, startApi } from './fixtures/api.ts';
import type { Api } from './fixtures/api.ts';

jest.setTimeout(120_000);

const temporal = sharedTemporalForFile();

interface Bench extends AsyncDisposable {
  /** The process of a worker. */
  readonly stack: Stack;
  /** Another process of the same installation. */
  readonly other: StackProcess;
  readonly spec: AgentSpec;
  readonly name: string;
  serve(): Promise<Api>;
  snapshot(): Promise<string | undefined>;
}

/** @param given of an agent that has closed; by default one with a record, whose machine has no grace */
async function bench(given?: AgentSpec): Promise<Bench> {
  const stack = await sweepStack(temporal);
  const other = await stack.beside();
  const spec = given ?? localSpec(ACCOUNT);
  await stack.make(spec);
  if (given === undefined) {
    const status = { path: absolutePathOf(spec.identity), phase: 'completed', reason: 'done' };
    const record = JSON.stringify({ status, tasks: [], spec });
    await stack.drivers.objects.put(recordKey(workflowIdOf(spec.identity)), record);
  }
  return {
    stack,
    other,
    spec,
    name: spec.machine.name,
    serve: async () => {
      const { events, key, machines, objects, secrets, tokenStore } = other.drivers;
      const parts = { events, key, machines, objects, secrets, tokenStore };
      return await startApi({ temporal: temporal.address, timing: { killUnanswered: 500 }, parts });
    },
    snapshot: async () => (await readRecord(stack.drivers, workflowIdOf(spec.identity)))?.snapshot,
    [Symbol.asyncDispose]: async () => {
      await other[Symbol.asyncDispose]();
      await stack[Symbol.asyncDispose]();
    },
  };
}

/** A round whose runner is asked for its last snapshot, and does not take it before `go`. */
async function heldRound({ stack, name }: Bench): Promise<{ readonly ended: Promise<void>; go(): void }> {
  const [begun, released] = [gate(), gate()];
  const { client } = createFakeRunner(() => stack.local.connect(name));
  const stop: typeof client.stop = async (...request) => {
    begun.open();
    await released.opened;
    await client.stop(...request);
  };
  Object.assign(stack.drivers.runners, { find: () => Promise.resolve({ ...client, stop }) });
  const ended = stack.round();
  await Promise.race([begun.opened, ended]);
  return { ended, go: released.open };
}

const SNAPSHOT: unknown = expect.stringMatching(/manifest\.json$/);

test('of two workers that sweep at once, one ends a machine and keeps its last snapshot', async () => {
  await using each = await bench();
  const { ended, go } = await heldRound(each);
  await each.other.round();
  expect(await each.stack.names()).toEqual([each.name]);
  go();
  await ended;
  expect(await each.stack.names()).toEqual([]);
  expect(await each.snapshot()).toEqual(SNAPSHOT);
  expect([...each.stack.problems, ...each.other.problems]).toEqual([]);
});

test('rm refuses a machine that the sweep is ending, and the last snapshot is kept', async () => {
  await using each = await bench();
  const { ended, go } = await heldRound(each);
  await using api = await each.serve();
  const rm = api.client.call('machine_rm', { name: each.name });
  await expect(rm).rejects.toMatchObject({
    code: 'FAILED_PRECONDITION',
    message: `machine ${each.name} is already being ended by the sweep of a worker`,
    hint: '`murmur machine ls` shows whether it is gone',
    details: { by: 'the sweep of a worker' },
  });
  expect(await each.stack.names()).toEqual([each.name]);
  go();
  await ended;
  expect(await each.stack.names()).toEqual([]);
  expect(await each.snapshot()).toEqual(SNAPSHOT);
});

test('the sweep leaves a machine that a person is removing, and the last snapshot is kept', async () => {
  await using each = await bench();
  await leaveReport(each.stack.local, each.name);
  const [begun, released] = [gate(), gate()];
  const { connect } = each.other.local;
  Object.assign(each.other.local, {
    connect: async (...wanted: Parameters<typeof connect>) => {
      begun.open();
      await released.opened;
      return await connect(...wanted);
    },
  });
  await using api = await each.serve();
  const rm = api.client.call('machine_rm', { name: each.name });
  await begun.opened;
  await each.stack.round();
  expect(await each.stack.names()).toEqual([each.name]);
  await expect(api.client.call('machine_rm', { name: each.name })).rejects.toMatchObject({
    message: `machine ${each.name} is already being ended by ${ACCOUNT}`,
  });
  released.open();
  expect(await rm).toMatchObject({ new_snapshot: true, snapshot: SNAPSHOT, problems: [] });
  expect(await each.stack.names()).toEqual([]);
  expect(each.stack.problems).toEqual([]);
});

test('a kill leaves a machine to the sweep that is ending it, and says so', async () => {
  await using each = await bench(await closedAgent(temporal, ACCOUNT));
  const { ended, go } = await heldRound(each);
  await using api = await each.serve();
  const slug = absolutePathOf(each.spec.identity);
  expect(await api.client.call('kill', { slug })).toMatchObject({
    receipt: [{ path: slug, machine_state: 'not destroyed: the sweep of a worker is already ending it' }],
  });
  go();
  await ended;
  expect(await each.stack.names()).toEqual([]);
  expect(await each.snapshot()).toEqual(SNAPSHOT);
  expect(await api.client.call('status', { slug })).toMatchObject({ phase: 'canceled', vm: { state: 'gone' } });
});

test.each([
  ['keeps others from the machine at first', 0, true],
  ['lets the next sweep end the machine after a minute', 60_000, false],
])('the claim of a process that has died %s', async (_what, age, isKept) => {
  await using each = await bench();
  await claimFor(each, 'carol', new Date(Date.now() - age));
  await each.stack.round();
  expect(await each.stack.names()).toEqual(isKept ? [each.name] : []);
  expect(each.stack.problems).toEqual([]);
});

test('a claim from a clock that is an hour ahead holds nobody up', async () => {
  await using each = await bench();
  await claimFor(each, 'carol', new Date(Date.now() + 3_600_000));
  await each.stack.round();
  expect(await each.stack.names()).toEqual([]);
});

test('an end that was frozen until another process took over does not destroy the machine', async () => {
  await using each = await bench();
  const { ended, go } = await heldRound(each);
  await claimFor(each, 'carol', new Date());
  go();
  await ended;
  expect(await each.stack.names()).toEqual([each.name]);
  expect(each.stack.problems).toMatchObject([
    { error: `the end of machine ${each.name} was taken over by carol`, machine: each.name },
  ]);
});

test('an end that failed frees the machine for the next one', async () => {
  await using each = await bench();
  const { destroy } = each.stack.local;
  const { labels } = await each.stack.local.describe(each.name);
  Object.assign(each.stack.local, { destroy: () => Promise.reject(new Error('the disk is busy')) });
  await each.stack.round();
  Object.assign(each.stack.local, { destroy });
  expect(each.stack.problems).toMatchObject([{ error: 'the disk is busy' }]);
  expect(await each.stack.local.describe(each.name)).toMatchObject({ labels });
  await each.other.round();
  expect(await each.stack.names()).toEqual([]);
});

/** Gives the machine the claim of a process that is not there. */
async function claimFor({ stack, name }: Bench, by: string, at: Date): Promise<void> {
  const { labels, version } = await stack.local.describe(name);
  const claim = { claim: by, claimed_at: at.toISOString(), claimed_by: by };
  await stack.local.label(name, { ...labels, ...claim }, { if: version });
}
