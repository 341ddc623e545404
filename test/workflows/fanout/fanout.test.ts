// The fan-out workflow on a real server, with stub activities that count their calls.
import { describe, expect, it } from '@jest/globals';
import { startFanout } from '../../fixtures/running-fanout.ts';
import { sharedTemporalForFile } from '../../fixtures/temporal-for-file.ts';
import { eventually } from '../../fixtures/waiting.ts';

const temporal = sharedTemporalForFile();

describe('the fan-out workflow', () => {
  it('starts ten thousand agents once and in order, across many runs', async () => {
    // Most agents fail to start, since each that starts costs another signal.
    const canStart = (index: number): boolean => index % 50 === 0;
    await using fanout = await startFanout(
      temporal,
      { count: 10_000, max_concurrent: 1_000, limits: { continue_after_steps: 50 } },
      { outcome: (index) => (canStart(index) ? 'started' : 'failed') },
    );
    expect(await fanout.result()).toEqual({ started: 200, dropped: 0, failed: 9_800 });
    expect(fanout.started).toEqual(Array.from({ length: 10_000 }, (_, index) => index).filter(canStart));
    expect(fanout.closed).toEqual(['plan']);
  }, 120_000);

  it.each([{ maxCachedWorkflows: 100 }, { maxCachedWorkflows: 0 }])(
    'never exceeds its slots, even while it continues as new, $maxCachedWorkflows cached',
    async (worker) => {
      await using fanout = await startFanout(
        temporal,
        { count: 12, max_concurrent: 3, limits: { continue_after_steps: 3 } },
        { outcome: () => 'works' },
        worker,
      );
      for (let index = 0; index < 12; index += 1) {
        await eventually(() => fanout.started.includes(index), `start of ${index.toString()}`);
        // Three agents are at work: no further one starts before one of them rests.
        expect(fanout.started.length).toBeLessThanOrEqual(index + 3);
        // The last three agents rest after the fan-out has completed: it completes with its last start.
        if (index < 9) await fanout.handle.signal('released', { index });
      }
      expect(await fanout.result()).toEqual({ started: 12, dropped: 0, failed: 0 });
      expect(fanout.started).toHaveLength(12);
    },
    120_000,
  );

  it('drops agents that are killed while they wait, and all waiting ones when it is ended', async () => {
    await using fanout = await startFanout(temporal, { count: 6, max_concurrent: 2 }, { outcome: () => 'works' });
    await eventually(() => fanout.started.length === 2, 'two starts');
    const order = { id: 'k', from: 'alice' };
    await fanout.handle.signal('drop', { ...order, indices: [2, 0] });
    await eventually(() => fanout.dropped.length === 1, 'the end of the third');
    expect(await fanout.progress()).toEqual({ next: 2, starting: [], dropped: [2], failed: [] });
    await fanout.handle.signal('released', { index: 0 });
    await eventually(() => fanout.started.includes(3), 'the fourth');
    await fanout.handle.signal('dropAll', order);
    expect(await fanout.result()).toEqual({ started: 3, dropped: 3, failed: 0 });
    expect(fanout.dropped).toEqual([2, 4, 5]);
  }, 60_000);

  it('waits while the tree is full, and drops agents whose parent has ended', async () => {
    await using fanout = await startFanout(
      temporal,
      { count: 4, max_concurrent: 1 },
      { outcome: (index, attempt) => (index < 2 ? (attempt === 1 && index === 0 ? 'later' : 'started') : 'orphaned') },
    );
    expect(await fanout.result()).toEqual({ started: 2, dropped: 2, failed: 0 });
    expect(fanout.started).toEqual([0, 1]);
    expect(fanout.dropped).toEqual([2, 3]);
  }, 60_000);

  it('ends when it is canceled in Temporal', async () => {
    await using fanout = await startFanout(temporal, { count: 3, max_concurrent: 1 }, { outcome: () => 'works' });
    await eventually(() => fanout.started.length === 1, 'a start');
    await fanout.handle.cancel();
    expect(await fanout.result()).toEqual({ started: 1, dropped: 2, failed: 0 });
  }, 60_000);
});
