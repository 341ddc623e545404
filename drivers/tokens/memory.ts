// Tokens in memory, for tests.
import { MurmurError } from '../../contract/wire/errors.ts';
import { isTokenId } from './token.ts';
import type { StoredToken, TokenStore } from './token-store.ts';

/** A store that lives as long as the process. */
export function createMemoryTokenStore(): TokenStore {
  const tokens = new Map<string, StoredToken>();
  let version = 0;
  return {
    async put(entry) {
      if (!isTokenId(entry.id)) {
        throw new MurmurError('INVALID_ARGUMENT', `token id ${JSON.stringify(entry.id)} is not valid`);
      }
      version += 1;
      tokens.set(entry.id, { ...entry });
    },
    async get(id) {
      return tokens.get(id);
    },
    async list() {
      return [...tokens.values()];
    },
    async version() {
      return String(version);
    },
    async delete(id) {
      version += 1;
      return tokens.delete(id);
    },
  };
}
