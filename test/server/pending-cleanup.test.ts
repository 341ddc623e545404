// Agents whose workflows have ended, but whose machines still exist: most were killed with their parent by an activity that
// was stopped half-way. The real workflow with stub activities.
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, jest, test } from '@jest/globals';
import { ApplicationFailure } from '@temporalio/common';
import type { WorkflowHandle } from '@temporalio/client';
import type { EndAgentInput, PrepareInput } from '../../contract/wire/activities.ts';
import type { AgentResult, PendingCleanup } from '../../contract/wire/agent.ts';
import { recordKey } from '../../contract/wire/object-keys.ts';
import { machineName } from '../../agents/names.ts';
import { agentOf, stubActivities } from '../fixtures/stub-activities.ts';
import { startTemporal, startWorker } from '../fixtures/temporal.ts';
import type { TestTemporal } from '../fixtures/temporal.ts';
import { eventually } from '../fixtures/waiting.ts';
import { ACCOUNT, startApi, TASK_QUEUE } from './fixtures/api.ts';
import type { Api } from './fixtures/api.ts';

jest.setTimeout(60_000);

let temporal: TestTemporal;
let worker: { stop(): Promise<void> };
let api: Api;
beforeAll(async () => {
  temporal = await startTemporal();
  const onRefusingHost = async (input: PrepareInput | EndAgentInput): Promise<void> => {
    if (agentOf(input).id !== idOf('refused')) return;
    throw ApplicationFailure.nonRetryable('host build-1 shows another key', 'FAILED_PRECONDITION');
  };
  const { activities } = stubActivities({ prepare: onRefusingHost, end: onRefusingHost });
  worker = await startWorker(temporal, TASK_QUEUE, activities);
  const timing = { query: 15_000, update: 30_000, recheck: 1_000, killUnanswered: 2_000 };
  api = await startApi({ temporal: temporal.address, timing });
}, 300_000);
afterAll(async () => {
  await api[Symbol.asyncDispose]();
  await worker.stop();
  await temporal.stop();
}, 60_000);

const idOf = (slug: string): string => `w/default/u/${ACCOUNT}/${slug}`;
const workflowOf = (slug: string): WorkflowHandle => temporal.client.workflow.getHandle(idOf(slug));

/** Spawns an agent, lets it work and ends its workflow as `killAgents` does, without the clean-up. */
async function endWithoutCleanup(slug: string): Promise<PendingCleanup> {
  await api.client.call('spawn', { slug, description: 'x' });
  await api.client.call('wait', { slug });
  await workflowOf(slug).signal('kill', { id: randomUUID(), from: 'boss', with_parent: true, leave_machine: true });
  const { left } = (await workflowOf(slug).result()) as AgentResult;
  if (left === undefined) throw new Error('the result has no pending clean-up');
  return left;
}

function machineOf(left: PendingCleanup): string {
  const { id, spawnId } = agentOf(left);
  return machineName(id, spawnId);
}

async function phasesIn(slug: string): Promise<readonly string[]> {
  const entries = await api.parts.events.read(idOf(slug), 0, 100);
  return entries.flatMap(({ event }) => (event.type === 'phase' ? [event.phase] : []));
}

test('status shows the last response of the agent', async () => {
  await endWithoutCleanup('told');
  const status = await api.client.call('status', { slug: 'told' });
  expect(status).toMatchObject({ phase: 'canceled', reason: 'killed by boss', response: 'answer 1' });
  expect(status).not.toHaveProperty('stale');
});

test('status says why an agent failed whose machine could be neither made nor destroyed', async () => {
  await api.client.call('spawn', { slug: 'refused', description: 'x' });
  await workflowOf('refused').result();
  const status = await api.client.call('status', { slug: 'refused' });
  expect(status).toMatchObject({ phase: 'failed', reason: expect.stringContaining('host build-1 shows another key') });
});

test('kill waits for the clean-up by another process and destroys nothing itself', async () => {
  const left = await endWithoutCleanup('awaited');
  const { record } = left;
  const before = api.destroyed.length;
  const killing = api.client.call('kill', { slug: 'awaited' });
  const vm = { name: machineOf(left), provider: 'local', isolation: 'none', state: 'gone' } as const;
  const written = { ...record, status: { ...record.status, vm }, snapshot: 'the-last' };
  await api.parts.objects.put(recordKey(idOf('awaited')), JSON.stringify(written));
  const { receipt } = await killing;
  expect(receipt).toMatchObject([{ phase: 'canceled', machine_state: 'destroyed', snapshot: 'the-last' }]);
  expect(api.destroyed).toHaveLength(before);
});

test('kill does a clean-up that no process does, and keeps the last response', async () => {
  const machine = machineOf(await endWithoutCleanup('orphan'));
  const { receipt } = await api.client.call('kill', { slug: 'orphan' });
  expect(receipt).toMatchObject([{ phase: 'canceled', machine, machine_state: 'destroyed' }]);
  expect(api.destroyed).toContain(machine);
  expect(await api.client.call('status', { slug: 'orphan' })).toMatchObject({
    response: 'answer 1',
    vm: { state: 'gone' },
  });
  expect((await phasesIn('orphan')).at(-1)).toBe('canceled');
});

test('kill of a terminated parent includes a child whose clean-up is pending', async () => {
  await api.client.call('spawn', { slug: 'boss', description: 'x' });
  await api.client.call('wait', { slug: 'boss' });
  const machine = machineOf(await endWithoutCleanup('boss/kid'));
  await workflowOf('boss').terminate('by hand');
  await eventually(async () => {
    const query = `WorkflowId = "${idOf('boss/kid')}" AND ExecutionStatus = "Completed"`;
    return (await temporal.client.workflow.count(query)).count === 1;
  }, 'the end of the child in the list');
  const { receipt } = await api.client.call('kill', { slug: 'boss' });
  expect(receipt).toMatchObject([
    { path: `/${idOf('boss')}`, machine_state: 'destroyed' },
    { path: `/${idOf('boss/kid')}`, machine, machine_state: 'destroyed' },
  ]);
  // Agents that ended before are not part of another kill.
  expect((await api.client.call('kill', { slug: 'boss' })).receipt).toHaveLength(1);
});
