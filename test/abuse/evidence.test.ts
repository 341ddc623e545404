// An attack that could not be run must not count as a failed one.
import { describe, expect, it } from '@jest/globals';
import { accepted, numberIn } from '../../abuse/evidence.ts';
import { MurmurError } from '../../contract/wire/errors.ts';

describe('accepted', () => {
  it('names the calls that were not refused', async () => {
    const refusal = new MurmurError('PERMISSION_DENIED', 'no');
    const attempts = [
      { name: 'open', call: () => Promise.resolve() },
      { name: 'closed', call: () => Promise.reject(refusal) },
    ];
    expect(await accepted(attempts)).toEqual(['open']);
  });

  it.each([
    new TypeError('fetch failed'),
    new MurmurError('UNAVAILABLE', 'it is down'),
    new MurmurError('INTERNAL', ''),
  ])('throws an error that is not a refusal: %s', async (error) => {
    await expect(accepted([{ name: 'broken', call: () => Promise.reject(error) }])).rejects.toBe(error);
  });
});

it('a missing number is an error, not zero', () => {
  expect(numberIn('forked 0', /forked (\d+)/)).toBe(0);
  expect(() => numberIn('forked: not found', /forked (\d+)/)).toThrow('forked: not found');
});
