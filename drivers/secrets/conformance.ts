// What every secret store must do. Run from test/ against each driver.
import { describe, expect, it } from '@jest/globals';
import type { SecretStore } from './secret-store.ts';

/** A store for one test; disposing closes it. */
export interface SecretStoreUnderTest extends AsyncDisposable {
  readonly store: SecretStore;
}

/** Declares the suite under the driver's name. */
export function describeSecretStore(name: string, create: () => Promise<SecretStoreUnderTest>): void {
  describe(`secret store: ${name}`, () => {
    it('returns the values of a reference', async () => {
      await using test = await create();
      await test.store.put('one', { TOKEN: 'line 1\nline "2"', EMPTY: '' });
      await test.store.put('two', { TOKEN: 'other' });
      expect(await test.store.get('one')).toEqual({ TOKEN: 'line 1\nline "2"', EMPTY: '' });
    });

    it('returns no values for an unknown reference', async () => {
      await using test = await create();
      expect(await test.store.get('unknown')).toEqual({});
    });

    it('replaces all values of a reference', async () => {
      await using test = await create();
      await test.store.put('ref', { A: '1', B: '2' });
      await test.store.put('ref', { B: '3' });
      expect(await test.store.get('ref')).toEqual({ B: '3' });
    });

    it('deletes a reference, and does nothing for an unknown one', async () => {
      await using test = await create();
      await test.store.put('ref', { A: '1' });
      await test.store.delete('ref');
      await test.store.delete('ref');
      expect(await test.store.get('ref')).toEqual({});
    });

    it.each(['', '.', '..', '../x', 'a/b', 'a\\b', '.hidden', 'a\0b', 'x'.repeat(201)])(
      'rejects the reference %j',
      async (ref) => {
        await using test = await create();
        const refusal = expect.objectContaining({ code: 'INVALID_ARGUMENT' });
        await expect(test.store.put(ref, { A: 'secret-value' })).rejects.toEqual(refusal);
        await expect(test.store.get(ref)).rejects.toEqual(refusal);
        await expect(test.store.delete(ref)).rejects.toEqual(refusal);
      },
    );
  });
}
