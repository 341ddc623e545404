// Tokens in memory, for tests.
import { MurmurError } from '../../contract/wire/errors.ts';
import { isTokenId } from './token.ts';
import type { StoredToken, TokenStore } from './token-store.ts';

/** A store that lives as long as the process. */
export function createMemoryTokenStore(): TokenStore {
  const tokens = new Map<string, StoredToken>();
  return {
    async put(entry) {
      if (!isTokenId(entry.id)) {
        throw new MurmurError('INVALID_ARGUMENT', `token id ${JSON.stringify(entry.id)} is not valid`);
      }
      tokens.set(entry.id, { ...entry });
    },
    async get(id) {
      return tokens.get(id);
    },
    async list() {
      return [...tokens.values()];
    },
    async delete(id) {
      return tokens.delete(id);
    },
  };
}
