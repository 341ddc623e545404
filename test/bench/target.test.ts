import { describe, expect, test } from '@jest/globals';
import { summarise } from '../../bench/statistics.ts';
import { addedAtMost, everyAtMost, ratioAtLeast, ratioAtMost } from '../../bench/target.ts';

const floor = summarise([100, 100, 100]);

describe('a target', () => {
  test('by ratio compares medians and includes the limit itself', () => {
    expect(ratioAtMost(1.5).met(summarise([150, 150, 900]), floor)).toBe(true);
    expect(ratioAtMost(1.5).met(summarise([151, 151, 151]), floor)).toBe(false);
    expect(ratioAtLeast(0.5).met(summarise([50]), floor)).toBe(true);
    expect(ratioAtLeast(0.5).met(summarise([49]), floor)).toBe(false);
  });

  test('by difference compares our p95 with the median of the floor', () => {
    expect(addedAtMost(50, 'ms').met(summarise([110, 110, 150]), floor)).toBe(true);
    expect(addedAtMost(50, 'ms').met(summarise([110, 110, 151]), floor)).toBe(false);
  });

  test('for every sample is missed if one sample exceeds it', () => {
    expect(everyAtMost(15, 'events').met(summarise([1, 15]), undefined)).toBe(true);
    expect(everyAtMost(15, 'events').met(summarise([1, 16]), undefined)).toBe(false);
  });

  test('that needs a floor is not met without one', () => {
    expect(ratioAtMost(1.5).met(summarise([1]), undefined)).toBe(false);
  });
});
