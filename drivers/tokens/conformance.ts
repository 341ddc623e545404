// What every token store must do. Run from test/ against each driver.
import { describe, expect, it } from '@jest/globals';
import { findToken, mintToken } from './token.ts';
import type { TokenStore } from './token-store.ts';

/** A store for one test; disposing closes it. */
export interface TokenStoreUnderTest extends AsyncDisposable {
  readonly store: TokenStore;
}

const ENTRY = { id: 'agent-1', account: 'jane', created_at: '2026-01-01T00:00:00.000Z' } as const;

/** Declares the suite under the driver's name. */
export function describeTokenStore(name: string, create: () => Promise<TokenStoreUnderTest>): void {
  describe(`token store: ${name}`, () => {
    it('finds a token that was minted, and stores only its hash', async () => {
      await using test = await create();
      const token = await mintToken(test.store, { ...ENTRY, agent: 'w/default/u/jane/lead' });
      expect(await findToken(test.store, token)).toMatchObject({ account: 'jane', agent: 'w/default/u/jane/lead' });
      expect(JSON.stringify(await test.store.list())).not.toContain(token.slice(-20));
    });

    it('does not find another token of the same id, nor a malformed one', async () => {
      await using test = await create();
      const token = await mintToken(test.store, ENTRY);
      const other = `${token.slice(0, -3)}${token.endsWith('AAA') ? 'BBB' : 'AAA'}`;
      for (const each of [other, '', 'mur_', 'mur_agent-1', 'mur_../x.y', `${token}x`, ` ${token}`]) {
        expect(await findToken(test.store, each)).toBeUndefined();
      }
    });

    it('does not find a deleted token', async () => {
      await using test = await create();
      const token = await mintToken(test.store, ENTRY);
      expect(await test.store.delete(ENTRY.id)).toBe(true);
      expect(await test.store.delete(ENTRY.id)).toBe(false);
      expect(await findToken(test.store, token)).toBeUndefined();
      expect(await test.store.list()).toEqual([]);
    });

    it('changes its version with each put and delete', async () => {
      await using test = await create();
      const versions = new Set([await test.store.version()]);
      for (const id of ['a', 'b']) {
        await mintToken(test.store, { ...ENTRY, id });
        versions.add(await test.store.version());
      }
      await test.store.delete('a');
      versions.add(await test.store.version());
      expect(versions.size).toBe(4);
    });

    it('replaces the token of an id', async () => {
      await using test = await create();
      const first = await mintToken(test.store, ENTRY);
      const second = await mintToken(test.store, ENTRY);
      expect(await findToken(test.store, first)).toBeUndefined();
      expect(await findToken(test.store, second)).toMatchObject({ id: 'agent-1' });
    });

    it.each(['', '.', '../x', 'a/b', 'a.b', 'x'.repeat(65)])('rejects the id %j', async (id) => {
      await using test = await create();
      await expect(mintToken(test.store, { ...ENTRY, id })).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
      expect(await test.store.get(id)).toBeUndefined();
      expect(await test.store.delete(id)).toBe(false);
    });
  });
}
