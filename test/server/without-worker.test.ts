// What callers get while no worker or no Temporal answers, and that the server recovers.
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, jest, test } from '@jest/globals';
import { machineName, secretsRef } from '../../agents/names.ts';
import { ACCOUNT, startApi, TASK_QUEUE } from './fixtures/api.ts';
import type { Api } from './fixtures/api.ts';
import { startTemporalServer } from '../fixtures/temporal-server.ts';
import type { TemporalServer } from '../fixtures/temporal-server.ts';

jest.setTimeout(120_000);

let temporal: TemporalServer;
let api: Api;
beforeAll(async () => {
  temporal = await startTemporalServer();
  api = await startApi({
    temporal: temporal.address,
    timing: { query: 500, update: 500, killProbe: 300, killUnanswered: 600, temporalCall: 30_000 },
  });
}, 180_000);
afterAll(async () => {
  await api[Symbol.asyncDispose]();
  await temporal[Symbol.asyncDispose]();
});

test('status shows what Temporal lists and reports that it may be out of date', async () => {
  await api.client.call('spawn', { slug: 'stale', description: 'x', purpose: 'be seen' });
  expect(await api.client.call('status', { slug: 'stale' })).toMatchObject({
    path: '/w/default/u/alice/stale',
    phase: 'starting',
    purpose: 'be seen',
    stale: 'no worker has answered within 0.5 seconds',
  });
});

test('signals are accepted nevertheless', async () => {
  await api.client.call('spawn', { slug: 'patient', description: 'x' });
  expect(await api.client.call('queue_add', { slug: 'patient', description: 'y' })).toMatchObject({
    message: 'follow-up sent to patient',
  });
});

test.each(['clear_queue', 'task_list'] as const)('%s is UNAVAILABLE and names the worker', async (operation) => {
  await api.client.call('spawn', { slug: 'mute', description: 'x' }).catch(() => undefined);
  const { status, body } = await api.post(`/v1/${operation}`, { body: { slug: 'mute' } });
  expect(status).toBe(503);
  expect(body).toMatchObject({
    error: {
      code: 'UNAVAILABLE',
      message: expect.stringContaining('no worker answered in time'),
      hint: 'start the worker with `murmur up`',
    },
  });
});

test('agents of a fan-out are listed, their slugs are taken, and killing one is not confirmed', async () => {
  const key = randomUUID();
  const list = async (): Promise<readonly string[]> => (await api.client.call('ls', {})).map(({ slug }) => slug);
  const input = { slug: 'many-{}', description: 'do {}', items: ['a', 'b c', 'B-C'], secrets: { KEY: 'value' } };
  const answer = await api.client.call('each', input, { idempotencyKey: key });
  expect(answer).toMatchObject({ slugs: ['many-a', 'many-b-c', 'many-b-c-2'], count: 3, failed: [] });
  expect(await api.client.call('each', input, { idempotencyKey: key })).toEqual(answer);
  expect(await api.client.call('each', { ...input, items: ['a', 'z'], dry_run: true })).toMatchObject({
    slugs: ['many-z'],
    failed: [{ slug: 'many-a', item: 'a', code: 'ALREADY_EXISTS' }],
    descriptions: ['do z'],
  });
  expect(await list()).toEqual(expect.arrayContaining(answer.slugs));
  expect(await list()).not.toContain('many-z');
  expect(await api.client.call('status', { slug: 'many-b-c' })).toMatchObject({ reason: 'waiting for a slot' });
  await expect(api.client.call('kill', { slug: 'many-a' })).rejects.toMatchObject({
    code: 'DEADLINE_EXCEEDED',
    message: expect.stringContaining('it will not be started'),
  });

  // An operator terminates the fan-out: its agents will not start, and their slugs are free.
  const id = `fanout/w/default/u/${ACCOUNT}/_/${key}`;
  await api.parts.temporal.workflow.getHandle(id).terminate('by hand');
  await expect(api.client.call('status', { slug: 'many-a' })).rejects.toMatchObject({ code: 'NOT_FOUND' });
  expect(await api.parts.objects.list('fanouts/')).toEqual([]);
  expect(await api.client.call('each', { ...input, dry_run: true })).toMatchObject({ count: 3, failed: [] });
});

test('kill terminates the agent, destroys its machine, deletes its secrets and leaves a record', async () => {
  const key = randomUUID();
  const id = `w/default/u/${ACCOUNT}/orphan`;
  await api.client.call('spawn', { slug: 'orphan', description: 'x', secrets: { A: 'b' } }, { idempotencyKey: key });
  const notes: unknown[] = [];
  const { receipt } = await api.client.call('kill', { slug: 'orphan' }, { onProgress: (each) => notes.push(each) });
  const machine = machineName(id, key);
  expect(receipt).toEqual([{ path: `/${id}`, phase: 'canceled', machine, machine_state: 'destroyed', cost_usd: 0 }]);
  expect(notes).toContainEqual({ phase: 'running', note: 'no worker answers' });
  expect(api.destroyed).toContain(machine);
  expect(await api.parts.secrets.get(secretsRef(id, key))).toEqual({});
  expect(await api.client.call('status', { slug: 'orphan' })).toMatchObject({
    phase: 'canceled',
    vm: { state: 'gone' },
  });
  const events = await api.parts.events.read(id, 0, 10);
  expect(events.map((each) => each.event)).toMatchObject([{ type: 'phase', phase: 'canceled' }]);
});

test('kill of an agent that was started without the API destroys its own machine, not one that its memo names', async () => {
  const workflowId = `w/default/u/${ACCOUNT}/forged`;
  const victim = { spawn_id: 's', machine: machineName(`w/default/u/${ACCOUNT}/stale`, 's') };
  await api.parts.temporal.workflow.start('agent', { workflowId, taskQueue: TASK_QUEUE, args: [{}], memo: victim });
  await api.client.call('kill', { slug: 'forged' });
  expect(api.destroyed).not.toContain(victim.machine);
  expect(api.destroyed).toContain(machineName(workflowId, 's'));
});

test('kill names a provider that is no longer configured, and says what to do', async () => {
  const workflowId = `w/default/u/${ACCOUNT}/left`;
  const memo = { spawn_id: 's', machine: machineName(workflowId, 's'), provider: 'gone' };
  await api.parts.temporal.workflow.start('agent', { workflowId, taskQueue: TASK_QUEUE, args: [{}], memo });
  expect(await api.client.call('kill', { slug: 'left' })).toMatchObject({
    receipt: [
      {
        machine_state: expect.stringMatching(
          /^not destroyed: machine provider "gone" is not configured here; configure it again .*: local$/,
        ),
      },
    ],
  });
  expect(await api.client.call('status', { slug: 'left' })).toMatchObject({
    vm: { provider: 'gone', state: 'running' },
  });
});

test('kill revokes the token before it ends the machine, and adds the end to the log after the record is written', async () => {
  const { machines, objects, events, tokenStore } = api.parts;
  const { path } = await api.client.call('spawn', { slug: 'ordered', description: 'x', purpose: 'be whole' });
  const id = path.slice(1);
  const steps: unknown[] = [];
  const tokens = async (): Promise<number> => (await tokenStore.list()).filter(({ agent }) => agent === id).length;
  const destroy = machines['local']?.destroy;
  const append = events.append;
  expect(await tokens()).toBe(1);
  Object.assign(machines['local'] ?? {}, {
    destroy: async (name: string) => {
      steps.push(`machine with ${String(await tokens())} tokens`);
      await destroy?.(name);
    },
  });
  Object.assign(events, {
    append: async (...args: Parameters<typeof append>) => {
      const record = await objects.get(`agents/${id}/record.json`);
      steps.push(JSON.parse(record?.toString() ?? 'null'));
      return await append.apply(events, args);
    },
  });
  await api.client.call('kill', { slug: 'ordered' });
  Object.assign(machines['local'] ?? {}, { destroy });
  Object.assign(events, { append });
  expect(steps).toMatchObject([
    'machine with 0 tokens',
    // The record contains the whole spec.
    { status: { phase: 'canceled' }, spec: { purpose: 'be whole', prompt: { text: 'x' }, created_by: ACCOUNT } },
  ]);
});

test('ready reports that no worker polls', async () => {
  const ready = await fetch(`${api.url}/ready`);
  expect(ready.status).toBe(503);
  expect(await ready.json()).toMatchObject({ checks: { temporal: 'ok', worker: 'no worker polls the task queue' } });
});

test('a call during a restart of Temporal waits for it and succeeds', async () => {
  await api.client.call('spawn', { slug: 'survivor', description: 'x' });
  await temporal.kill();
  const sent = api.client.call('queue_add', { slug: 'survivor', description: 'y' });
  await temporal.restart();
  expect(await sent).toMatchObject({ message: 'follow-up sent to survivor' });
  expect(await api.client.call('status', { slug: 'survivor' })).toMatchObject({ phase: 'starting' });
});

test('while Temporal is gone, calls are UNAVAILABLE and name the doctor', async () => {
  await using gone = await startApi({ timing: { temporalCall: 500, query: 300 } });
  const { status, body } = await gone.post('/v1/ls');
  expect(status).toBe(503);
  expect(body).toMatchObject({
    error: { code: 'UNAVAILABLE', message: 'Temporal does not answer', hint: 'run `murmur doctor`' },
  });
});
