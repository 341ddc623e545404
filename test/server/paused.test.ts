// Agents whose workflows an operator has paused in Temporal: they are alive, and no worker answers for them.
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, jest, test } from '@jest/globals';
import { machineOf } from '../../agents/machine.ts';
import { parseWorkflowId } from '../../contract/wire/identity.ts';
import { agentSpec } from '../fixtures/agent-spec.ts';
import { PAUSING, pauseWorkflow } from '../fixtures/pausing.ts';
import { sweepBench } from '../fixtures/sweep-bench.ts';
import { startTemporalServer } from '../fixtures/temporal-server.ts';
import type { TemporalServer } from '../fixtures/temporal-server.ts';
import { eventually } from '../fixtures/waiting.ts';
import { ACCOUNT, startApi } from './fixtures/api.ts';
import type { Api } from './fixtures/api.ts';

jest.setTimeout(120_000);

let temporal: TemporalServer;
let api: Api;
beforeAll(async () => {
  temporal = await startTemporalServer(PAUSING);
  api = await startApi({ temporal: temporal.address, timing: { query: 500, killProbe: 300, killUnanswered: 600 } });
}, 180_000);
afterAll(async () => {
  await api[Symbol.asyncDispose]();
  await temporal[Symbol.asyncDispose]();
});

/** Spawns an agent and pauses it. */
async function paused(): Promise<string> {
  const slug = `a-${randomUUID().slice(0, 8)}`;
  await api.client.call('spawn', { slug, description: 'x' });
  await pauseWorkflow(api.parts.temporal, idOf(slug));
  return slug;
}

const idOf = (slug: string): string => `w/default/u/${ACCOUNT}/${slug}`;

test('status shows it as it is, and ls lists it among the living', async () => {
  const slug = await paused();
  const status = await api.client.call('status', { slug });
  expect(status).toMatchObject({ phase: 'starting', stale: 'no worker has answered within 0.5 seconds' });
  expect(status).not.toHaveProperty('ended_at');
  await eventually(
    async () => (await api.client.call('ls', {})).some((row) => row.slug === slug && row.vm !== undefined),
    'the paused agent in the list',
  );
});

test('it still has its machine, for its ports', async () => {
  const identity = parseWorkflowId(idOf(await paused()));
  if (identity === undefined) throw new Error('it is an id');
  expect(await machineOf(api.parts, identity)).toMatchObject({ name: expect.stringMatching(/^murmur-/) });
});

test('a spawn of its slug is refused as of one that runs', async () => {
  const slug = await paused();
  await expect(api.client.call('spawn', { slug, description: 'again' })).rejects.toMatchObject({
    code: 'ALREADY_EXISTS',
    message: expect.stringContaining('is already running'),
  });
});

test('kill ends its workflow before it cleans up', async () => {
  const slug = await paused();
  const { receipt } = await api.client.call('kill', { slug });
  expect(receipt).toMatchObject([{ phase: 'canceled', machine_state: 'destroyed' }]);
  const { status } = await api.parts.temporal.workflow.getHandle(idOf(slug)).describe();
  expect(status.name).toBe('TERMINATED');
});

test('kill of its parent takes it along', async () => {
  const parent = await paused();
  const kid = `${parent}/kid`;
  const { memo } = await api.parts.temporal.workflow.getHandle(idOf(parent)).describe();
  const options = { taskQueue: 'nobody', args: [{}], memo: { ...memo, machine: 'murmur-0000000d' } };
  await api.parts.temporal.workflow.start('agent', { workflowId: idOf(kid), ...options });
  await pauseWorkflow(api.parts.temporal, idOf(kid));
  await eventually(async () => {
    const query = `WorkflowId = "${idOf(kid)}" AND ExecutionStatus = "Paused"`;
    return (await api.parts.temporal.workflow.count(query)).count === 1;
  }, 'the pause in the list');
  const { receipt } = await api.client.call('kill', { slug: parent });
  expect(receipt.map(({ path }) => path)).toEqual([`/${idOf(parent)}`, `/${idOf(kid)}`]);
  const { status } = await api.parts.temporal.workflow.getHandle(idOf(kid)).describe();
  expect(status.name).toBe('TERMINATED');
});

test('the sweep leaves its machine alone until it has closed', async () => {
  const client = api.parts.temporal;
  await using each = await sweepBench({ client });
  const spec = await each.make(agentSpec());
  await each.start(spec);
  await pauseWorkflow(client, each.handleOf(spec).workflowId);
  await each.round();
  expect(await each.names()).toEqual([spec.machine.name]);
  await each.handleOf(spec).terminate('by hand');
  await each.round();
  expect(await each.names()).toEqual([]);
});
