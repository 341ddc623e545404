// After Temporal was set up anew, its namespace has another id and no agents: what becomes of the machines of the old
// one. On real local machines, with stores in folders.
import { randomUUID } from 'node:crypto';
import { expect, jest, test } from '@jest/globals';
import { readRecord } from '../../agents/record.ts';
import { storeSnapshot } from '../../agents/snapshots.ts';
import { startRootAgent } from '../../agents/start.ts';
import type { AgentSpec } from '../../contract/wire/agent.ts';
import { absolutePathOf, workflowIdOf } from '../../contract/wire/identity.ts';
import { agentSpec } from '../fixtures/agent-spec.ts';
import { creation } from '../fixtures/creation.ts';
import { leaveReport, localSpec, sweepStack } from '../fixtures/sweep-stack.ts';
import type { Stack } from '../fixtures/sweep-stack.ts';
import { sharedTemporalForFile } from '../fixtures/temporal-for-file.ts';
import { ACCOUNT, startApi } from './fixtures/api.ts';
import type { Api } from './fixtures/api.ts';

jest.setTimeout(120_000);

const temporal = sharedTemporalForFile();
const SNAPSHOT: unknown = expect.stringMatching(/manifest\.json$/);

interface Bench extends AsyncDisposable {
  readonly stack: Stack;
  readonly api: Api;
  readonly spec: AgentSpec;
  readonly name: string;
  readonly path: string;
}

async function bench(): Promise<Bench> {
  const stack = await sweepStack(temporal);
  const { events, key, machines, objects, secrets, tokenStore } = stack.drivers;
  const parts = { events, key, machines, objects, secrets, tokenStore };
  const api = await startApi({ temporal: temporal.address, parts });
  const spec = localSpec(ACCOUNT);
  await stack.make(spec, { namespace: randomUUID() });
  return {
    stack,
    api,
    spec,
    name: spec.machine.name,
    path: absolutePathOf(spec.identity),
    [Symbol.asyncDispose]: async () => {
      await api[Symbol.asyncDispose]();
      await stack[Symbol.asyncDispose]();
    },
  };
}

test('are listed as orphaned with what is known of them, and no sweep ends them', async () => {
  await using each = await bench();
  const { name, path: agent, spec } = each;
  await each.stack.round();
  expect(await each.api.client.call('machine_ls', {})).toEqual({
    machines: [
      {
        name,
        provider: 'local',
        state: 'orphaned',
        reason: 'other_namespace',
        agent,
        spawned_at: spec.created_at,
      },
    ],
    unreachable: [],
  });
  expect(each.stack.problems).toEqual([]);
});

test('are removed by a person with a last snapshot, record and log', async () => {
  await using each = await bench();
  const { name, path: agent } = each;
  await leaveReport(each.stack.local, name);
  expect(await each.api.client.call('machine_rm', { name })).toEqual({
    name,
    provider: 'local',
    agent,
    message: `removed ${name}; a last snapshot was taken and is kept`,
    snapshot: SNAPSHOT,
    new_snapshot: true,
    problems: [],
  });
  expect(await each.stack.names()).toEqual([]);
  expect(await each.api.client.call('status', { slug: agent })).toMatchObject({
    phase: 'canceled',
    reason: `its machine was removed by ${ACCOUNT}`,
    vm: { state: 'gone' },
  });
});

test('keep their stored snapshot when no runner answers, and rm says that there is no later one', async () => {
  await using each = await bench();
  const { name, spec, stack } = each;
  {
    await using machine = await stack.local.connect(name);
    const directory = `${machine.paths.runner}/snapshot`;
    await machine.put(`${directory}/transcript.jsonl`, '{}');
    await storeSnapshot(stack.drivers.objects, spec, machine, { directory, files: ['transcript.jsonl'], seq: 1 });
  }
  const problem = 'no last snapshot: its runner did not answer';
  expect(await each.api.client.call('machine_rm', { name })).toMatchObject({
    message: `removed ${name}; its last stored snapshot is kept (${problem})`,
    snapshot: SNAPSHOT,
    new_snapshot: false,
    problems: [problem],
  });
});

test('are removed without a trace on a later agent of the same name, and rm says what is not kept', async () => {
  await using each = await bench();
  const { name, spec } = each;
  await leaveReport(each.stack.local, name);
  const later = agentSpec({ identity: spec.identity });
  await startRootAgent(temporal.client, `nobody-${later.spawn_id}`, later);
  const problem = 'no last snapshot: the snapshots of that name are those of a later agent';
  expect(await each.api.client.call('machine_rm', { name })).toMatchObject({
    message: `removed ${name}; there is no snapshot of its work (${problem})`,
    problems: [problem],
  });
  expect(await each.stack.names()).toEqual([]);
  expect(await readRecord(each.stack.drivers, workflowIdOf(spec.identity))).toBeUndefined();
  await temporal.client.workflow.getHandle(workflowIdOf(spec.identity)).terminate();
});

test('are removed though nothing proves whose they are, and rm says that no work is kept', async () => {
  await using each = await bench();
  const unsealed = localSpec(ACCOUNT);
  const { labels } = await each.stack.local.describe(each.name);
  const other = { ...labels, agent: workflowIdOf(unsealed.identity), spawn: unsealed.spawn_id };
  await each.stack.local.create({ name: unsealed.machine.name, labels: other }, creation());
  const problem = 'no last snapshot: nothing proves which agent has worked on it';
  expect(await each.api.client.call('machine_rm', { name: unsealed.machine.name })).toMatchObject({
    message: `removed ${unsealed.machine.name}; there is no snapshot of its work (${problem})`,
    problems: [problem],
  });
  expect(await each.stack.names()).toEqual([each.name]);
});
