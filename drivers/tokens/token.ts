// The form of tokens, and how they are found and compared. A token contains its id, so that only one entry is read. The
// secret part has 256 bits; only the token's hash is stored.
import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import type { TokenEntry } from '../../contract/wire/tokens.ts';
import type { StoredToken, TokenStore } from './token-store.ts';

/** 1 to 64 of `A-Za-z0-9-`: it becomes the name of a file. */
const ID = /^[A-Za-z0-9][A-Za-z0-9-]{0,63}$/;
const TOKEN = /^mur_([A-Za-z0-9][A-Za-z0-9-]{0,63})\.[A-Za-z0-9_-]{43}$/;

/** Whether the text is a valid token id. */
export function isTokenId(id: string): boolean {
  return ID.test(id);
}

/** Creates a token and stores its hash. Only the caller gets the token itself. */
export async function mintToken(store: TokenStore, entry: Omit<StoredToken, 'sha256'>): Promise<string> {
  const token = `mur_${entry.id}.${randomBytes(32).toString('base64url')}`;
  await store.put({ ...entry, sha256: hashOf(token) });
  return token;
}

/** The entry of a token; undefined for an unknown token. */
export async function findToken(store: TokenStore, token: string): Promise<TokenEntry | undefined> {
  const id = TOKEN.exec(token)?.[1];
  const entry = id === undefined ? undefined : await store.get(id);
  return entry !== undefined && matches(entry, token) ? entry : undefined;
}

/** Whether the token belongs to the entry. Compares in constant time. */
export function matches(entry: Pick<TokenEntry, 'sha256'>, token: string): boolean {
  const expected = Buffer.from(entry.sha256, 'hex');
  const actual = Buffer.from(hashOf(token), 'hex');
  return expected.length === actual.length && timingSafeEqual(expected, actual);
}

/** The hash under which a token is stored. */
export function hashOf(token: string): string {
  return createHash('sha256').update(token, 'utf8').digest('hex');
}
