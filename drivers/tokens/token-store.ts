// The port to tokens that come and go: those of agents, and those that people make for themselves. Only hashes are kept.
// Implementations: directory (0600 files) and memory.
import type { TokenEntry } from '../../contract/wire/tokens.ts';

/** An entry that is kept under its id. */
export type StoredToken = TokenEntry & { readonly id: string };

export interface TokenStore {
  /** Keeps the entry under its id, replacing what was there. */
  put(entry: StoredToken): Promise<void>;
  /** Undefined when there is none of that id, or the id is not one. */
  get(id: string): Promise<StoredToken | undefined>;
  /** All of them, in no order. */
  list(): Promise<readonly StoredToken[]>;
  /** Another text than before whenever an entry has been put or deleted, by whichever process. Cheap. */
  version(): Promise<string>;
  /** The token is refused from the next request on. Answers whether there was one. */
  delete(id: string): Promise<boolean>;
}
