// The sweep beside the worker's own activities: a tree that is being killed, and an agent whose machine is being made.
import { randomUUID } from 'node:crypto';
import { expect, jest, test } from '@jest/globals';
import { createAgentActivities } from '../../../activities/agent.ts';
import { sealSpec } from '../../../agents/sealed.ts';
import { executeUpdate } from '../../../agents/temporal.ts';
import type { AgentResult } from '../../../contract/wire/agent.ts';
import { agentSpec } from '../../fixtures/agent-spec.ts';
import { sweepBench } from '../../fixtures/sweep-bench.ts';
import type { SweepBench } from '../../fixtures/sweep-bench.ts';
import { startWorker } from '../../fixtures/temporal.ts';
import { sharedTemporalForFile } from '../../fixtures/temporal-for-file.ts';
import { eventually, gate } from '../../fixtures/waiting.ts';

jest.setTimeout(120_000);

const temporal = sharedTemporalForFile();

/** A worker with the real activities. */
async function serve({ ports }: SweepBench): Promise<AsyncDisposable & { readonly taskQueue: string }> {
  const taskQueue = randomUUID();
  const worker = await startWorker(temporal, taskQueue, createAgentActivities(ports));
  return { taskQueue, [Symbol.asyncDispose]: () => worker.stop() };
}

test('a child whose tree is being killed is ended once, by the kill and not by the sweep', async () => {
  await using each = await sweepBench(temporal);
  await using worker = await serve(each);
  const boss = agentSpec();
  const kid = agentSpec({ identity: { ...boss.identity, path: [...boss.identity.path, 'kid'] } });
  const kidsRunner = each.runner(kid.machine.name);
  for (const spec of [boss, kid]) await sealSpec(each.ports, spec);
  await each.start(boss, worker.taskQueue);
  await executeUpdate(each.handleOf(boss), 'spawnChild', { args: [{ spec: kid }], updateId: kid.spawn_id });
  await eventually(() => kidsRunner.prompts.length === 1, "the child's turn");
  await eventually(() => each.runner(boss.machine.name).prompts.length === 1, "the parent's turn");
  const held = gate();
  const destroyed: string[] = [];
  const { destroy } = each.provider;
  Object.assign(each.provider, {
    destroy: async (name: string) => {
      destroyed.push(name);
      if (name === kid.machine.name) await held.opened;
      await destroy(name);
    },
  });
  await each.handleOf(boss).signal('kill', { id: randomUUID(), from: 'tess' });
  await eventually(() => destroyed.includes(kid.machine.name), 'the end of the child');
  // Its workflow has closed, and its machine is still there.
  expect((await each.handleOf(kid).describe()).status.name).toBe('COMPLETED');
  await each.round();
  expect(await each.names()).toContain(kid.machine.name);
  expect(kidsRunner.stops).toHaveLength(1);
  held.open();
  const { receipt } = (await each.handleOf(boss).result()) as AgentResult;
  expect(receipt.map(({ machine_state }) => machine_state)).toEqual(['destroyed', 'destroyed']);
  await each.round();
  expect(destroyed.toSorted()).toEqual([boss.machine.name, kid.machine.name].toSorted());
  expect(await each.record(kid)).toMatchObject({ status: { phase: 'canceled' }, snapshot: expect.anything() });
  expect(each.problems).toEqual([]);
});

test('a machine that is just being made is kept, and becomes that of a working agent', async () => {
  await using each = await sweepBench(temporal);
  await using worker = await serve(each);
  const spec = agentSpec();
  await sealSpec(each.ports, spec);
  const goOn = each.provider.holdCreate();
  await each.start(spec, worker.taskQueue);
  const state = async (): Promise<string> => (await each.provider.describe(spec.machine.name)).state;
  await eventually(async () => (await state()) === 'provisioning', 'the creation');
  await each.round();
  expect(await state()).toBe('provisioning');
  goOn();
  await eventually(() => each.runner(spec.machine.name).prompts.length === 1, 'its turn');
  await each.round();
  expect(await state()).toBe('running');
  await each.handleOf(spec).signal('kill', { id: randomUUID(), from: 'tess' });
  await each.handleOf(spec).result();
  expect(await each.names()).toEqual([]);
});
