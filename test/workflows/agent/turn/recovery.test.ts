import { describe, expect, it } from '@jest/globals';
import { retryWaitMs } from '../../../../workflows/agent/turn/recovery.ts';

describe('retryWaitMs', () => {
  it('doubles from 5 seconds up to a quarter of an hour', () => {
    expect([1, 2, 3, 8, 9, 1_000].map((failures) => retryWaitMs(failures, undefined, 0))).toEqual([
      5_000, 10_000, 20_000, 640_000, 900_000, 900_000,
    ]);
  });

  it('spreads agents that were refused together', () => {
    expect(retryWaitMs(1, undefined, 1)).toBe(6_000);
  });

  it('waits as long as the server asks, up to a day', () => {
    expect([0, 1_500, -5, 10 ** 12].map((asked) => retryWaitMs(3, asked, 1))).toEqual([0, 1_500, 0, 86_400_000]);
  });
});
