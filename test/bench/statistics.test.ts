import { describe, expect, test } from '@jest/globals';
import { percentile, summarise } from '../../bench/statistics.ts';

describe('percentile', () => {
  test('is the sample at the nearest rank, in any order', () => {
    const samples = [5, 1, 4, 2, 3];
    expect(percentile(samples, 50)).toBe(3);
    expect(percentile(samples, 95)).toBe(5);
    expect(percentile([7], 50)).toBe(7);
  });

  test('of twenty samples, p95 leaves out the highest', () => {
    expect(
      percentile(
        Array.from({ length: 20 }, (_, index) => index + 1),
        95,
      ),
    ).toBe(19);
  });

  test('does not reorder its input', () => {
    const samples = [3, 1, 2];
    percentile(samples, 50);
    expect(samples).toEqual([3, 1, 2]);
  });

  test('throws without samples', () => {
    expect(() => percentile([], 50)).toThrow(RangeError);
  });
});

test('a summary has count, median, p95 and maximum', () => {
  expect(summarise([1, 2, 3, 10])).toEqual({ count: 4, p50: 2, p95: 10, max: 10 });
});
