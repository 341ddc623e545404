// An agent that cannot start yet, such as one whose origin does not answer. The real workflow with stub activities.
import { afterAll, beforeAll, expect, jest, test } from '@jest/globals';
import { ApplicationFailure } from '@temporalio/common';
import { stubActivities } from '../fixtures/stub-activities.ts';
import { startTemporal, startWorker } from '../fixtures/temporal.ts';
import type { TestTemporal } from '../fixtures/temporal.ts';
import { eventually } from '../fixtures/waiting.ts';
import { startApi, TASK_QUEUE } from './fixtures/api.ts';
import type { Api } from './fixtures/api.ts';

jest.setTimeout(60_000);

const PROBLEM = 'https://git.invalid/a/b does not answer: Could not resolve host: git.invalid';

let reachable = false;
let temporal: TestTemporal;
let worker: { stop(): Promise<void> };
let api: Api;
beforeAll(async () => {
  temporal = await startTemporal();
  const prepare = async (): Promise<void> => {
    if (!reachable) throw ApplicationFailure.retryable(PROBLEM, 'UNAVAILABLE');
  };
  worker = await startWorker(temporal, TASK_QUEUE, stubActivities({ prepare }).activities);
  const timing = { query: 15_000, update: 30_000, recheck: 200 };
  api = await startApi({ temporal: temporal.address, timing });
}, 300_000);
afterAll(async () => {
  await api[Symbol.asyncDispose]();
  await worker.stop();
  await temporal.stop();
}, 60_000);

test('status and wait say why it is still starting; once it has started, they do not', async () => {
  await api.client.call('spawn', { slug: 'a', description: 'x' });
  const notes: string[] = [];
  const waiting = api.client.call('wait', { slug: 'a' }, { onProgress: ({ note }) => notes.push(note ?? '') });
  const reason = expect.stringMatching(
    /^attempt \d+ to start failed: https:\/\/git\.invalid\/a\/b does not answer: .+; the next one follows by itself$/,
  );
  await eventually(
    async () => (await api.client.call('status', { slug: 'a' })).reason !== undefined,
    'the reason in status',
  );
  expect(await api.client.call('status', { slug: 'a' })).toMatchObject({ phase: 'starting', reason });
  await eventually(() => notes.some((note) => note.includes(PROBLEM)), 'the reason in a progress event of wait');
  reachable = true;
  await waiting;
  const status = await api.client.call('status', { slug: 'a' });
  expect(status.phase).toBe('idle');
  expect(status).not.toHaveProperty('reason');
});
