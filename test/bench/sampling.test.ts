import { describe, expect, test } from '@jest/globals';
import type { Laboratory } from '../../bench/laboratory/laboratory.ts';
import type { Measure, Trial } from '../../bench/measure.ts';
import { take, takeAgainst } from '../../bench/sampling.ts';
import { ratioAtMost } from '../../bench/target.ts';

// The measures of these tests do not use it.
const laboratory = {} as Laboratory;

/** A measure that records the order in which its sides are called. */
function measureOf(trial: Partial<Trial>, warmUps = 0): { measure: Measure; calls: string[] } {
  const calls: string[] = [];
  const noting = (side: string, value: number) => () => {
    calls.push(side);
    return Promise.resolve(value);
  };
  const measure: Measure = {
    name: 'example',
    title: 'an example',
    unit: 'ms',
    samples: { full: 1, quick: 1 },
    warmUps,
    target: ratioAtMost(2),
    timeoutMs: 5_000,
    open: () =>
      Promise.resolve({
        floor: noting('floor', 10),
        ours: noting('ours', 20),
        close: () => {
          calls.push('close');
          return Promise.resolve();
        },
        ...trial,
      }),
  };
  return { measure, calls };
}

describe('sampling', () => {
  test('takes pairs, in which the sides take turns being first', async () => {
    const { measure, calls } = measureOf({});
    const taken = await take(measure, laboratory, { pairs: 2, floorsOnly: false });
    expect(calls).toEqual(['floor', 'ours', 'ours', 'floor', 'close']);
    expect(taken).toMatchObject({ floor: { count: 2, p50: 10 }, ours: { count: 2, p50: 20 }, met: true });
  });

  test('discards warm-ups, and takes ours first in the last one', async () => {
    const { measure, calls } = measureOf({}, 1);
    const taken = await take(measure, laboratory, { pairs: 1, floorsOnly: false });
    expect(calls).toEqual(['ours', 'floor', 'floor', 'ours', 'close']);
    expect(taken.floor.count).toBe(1);
  });

  test('takes no sample of ours if only floors are requested, and meets no target', async () => {
    const { measure, calls } = measureOf({});
    const taken = await take(measure, laboratory, { pairs: 2, floorsOnly: true });
    expect(calls).toEqual(['floor', 'floor', 'close']);
    expect(taken.ours).toBeUndefined();
    expect(taken.met).toBe(false);
  });

  test('uses the target from the trial', async () => {
    const { measure } = measureOf({ target: ratioAtMost(1.5) });
    const taken = await take(measure, laboratory, { pairs: 1, floorsOnly: false });
    expect(taken).toMatchObject({ met: false, target: '≤ 1.5 × floor' });
  });

  test('cleans up after a failed sample', async () => {
    const { measure, calls } = measureOf({ ours: () => Promise.reject(new Error('no agent')) });
    await expect(take(measure, laboratory, { pairs: 1, floorsOnly: false })).rejects.toThrow('no agent');
    expect(calls.at(-1)).toBe('close');
  });

  test('aborts a sample at its timeout', async () => {
    const { measure, calls } = measureOf({ floor: () => new Promise(() => undefined) });
    const hasty = { ...measure, timeoutMs: 20 };
    await expect(take(hasty, laboratory, { pairs: 1, floorsOnly: false })).rejects.toThrow('a floor sample');
    expect(calls.at(-1)).toBe('close');
  });

  test('takes two builds alternately, and allows the newer one five percent', async () => {
    const { measure, calls } = measureOf({});
    const before: Laboratory = { ...laboratory };
    const ours = (value: number, name: string) => () => {
      calls.push(name);
      return Promise.resolve(value);
    };
    const open = (opened: Laboratory) =>
      measure.open(opened).then((trial) => ({
        ...trial,
        ours: opened === before ? ours(100, 'before') : ours(106, 'now'),
      }));
    const taken = await takeAgainst({ ...measure, open }, { now: laboratory, before }, { pairs: 2 });
    expect(calls).toEqual(['before', 'now', 'now', 'before', 'close', 'close']);
    expect(taken).toMatchObject({ floor: { p50: 100 }, ours: { p50: 106 }, met: false, target: '≤ 1.05 × before' });
  });
});
