// An attack that could not be tried must not look like one that failed.
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
  ])('throws what is no refusal: %s', async (error) => {
    await expect(accepted([{ name: 'broken', call: () => Promise.reject(error) }])).rejects.toBe(error);
  });
});

it('a number that was not told is not zero', () => {
  expect(numberIn('forked 0', /forked (\d+)/)).toBe(0);
  expect(() => numberIn('forked: not found', /forked (\d+)/)).toThrow('forked: not found');
});
