// The port to tokens that are created and revoked at run time: those of agents and of people. Stores only hashes.
// Implementations: directory (0600 files) and memory.
import type { TokenEntry } from '../../contract/wire/tokens.ts';

/** An entry, stored under its id. */
export type StoredToken = TokenEntry & { readonly id: string };

export interface TokenStore {
  /** Stores the entry under its id, replacing an earlier one. */
  put(entry: StoredToken): Promise<void>;
  /** Undefined for an unknown or invalid id. */
  get(id: string): Promise<StoredToken | undefined>;
  /** All entries, in no particular order. */
  list(): Promise<readonly StoredToken[]>;
  /** Changes whenever any process puts or deletes an entry. Cheap. */
  version(): Promise<string>;
  /** Revokes the token: the next request with it fails. Resolves with whether it existed. */
  delete(id: string): Promise<boolean>;
}
