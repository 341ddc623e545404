import { expect, it } from '@jest/globals';
import { utimes } from 'node:fs/promises';
import { join } from 'node:path';
import { notes } from '../../drivers/events/conformance-fixture.ts';
import { KEPT_ENTRIES } from '../../drivers/events/event-log.ts';
import { createFileEventLog } from '../../drivers/events/file.ts';
import { keepRetention } from '../../worker/event-retention.ts';
import { temporaryFolder } from '../drivers/temporary-folder.ts';

const DAY_MS = 24 * 3_600_000;

it('logs without events for the configured days are cut and reported', async () => {
  await using folder = await temporaryFolder();
  await using log = createFileEventLog(folder.path);
  for (const agent of ['old', 'newer']) await log.append(agent, 'runner', notes(1, KEPT_ENTRIES + 10));
  for (const [agent, days] of [
    ['old', 11],
    ['newer', 9],
  ] as const) {
    const at = new Date(Date.now() - days * DAY_MS);
    await utimes(join(folder.path, agent, '@events.jsonl'), at, at);
  }
  const stop = new AbortController();
  const outcomes: unknown[] = [];
  const report = (outcome: unknown): void => {
    outcomes.push(outcome);
    stop.abort();
  };
  await keepRetention(log, { days: 10, signal: stop.signal, report });
  expect(outcomes).toEqual([{ cut: 1 }]);
  expect((await log.read('old', 0, 1))[0]?.id).toBe(11);
  expect((await log.read('newer', 0, 1))[0]?.id).toBe(1);
});

it('a failure is reported and does not end the retention', async () => {
  const stop = new AbortController();
  const error = new Error('the disk');
  const outcomes: unknown[] = [];
  const report = (outcome: unknown): void => {
    outcomes.push(outcome);
    stop.abort();
  };
  await keepRetention({ prune: () => Promise.reject(error) }, { days: 10, signal: stop.signal, report });
  expect(outcomes).toEqual([{ error }]);
});
