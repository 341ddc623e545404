// What a token looks like, and how it is known again. The id stands in the token, so that one entry has to be read and not
// all of them; the secret part has 256 bits, of which only the hash is kept.
import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import type { TokenEntry } from '../../contract/wire/tokens.ts';
import type { StoredToken, TokenStore } from './token-store.ts';

/** 1 to 64 of `A-Za-z0-9-`: it becomes the name of a file. */
const ID = /^[A-Za-z0-9][A-Za-z0-9-]{0,63}$/;
const TOKEN = /^mur_([A-Za-z0-9][A-Za-z0-9-]{0,63})\.[A-Za-z0-9_-]{43}$/;

/** Whether a text can be the id of a stored token. */
export function isTokenId(id: string): boolean {
  return ID.test(id);
}

/** Makes a token and keeps its hash; the token itself is known to the caller alone. */
export async function mintToken(store: TokenStore, entry: Omit<StoredToken, 'sha256'>): Promise<string> {
  const token = `mur_${entry.id}.${randomBytes(32).toString('base64url')}`;
  await store.put({ ...entry, sha256: hashOf(token) });
  return token;
}

/** The entry of a token; undefined for one that is not known. */
export async function findToken(store: TokenStore, token: string): Promise<TokenEntry | undefined> {
  const id = TOKEN.exec(token)?.[1];
  const entry = id === undefined ? undefined : await store.get(id);
  return entry !== undefined && matches(entry, token) ? entry : undefined;
}

/** Whether the token is the entry's, in a time that tells nothing. */
export function matches(entry: Pick<TokenEntry, 'sha256'>, token: string): boolean {
  const expected = Buffer.from(entry.sha256, 'hex');
  const actual = Buffer.from(hashOf(token), 'hex');
  return expected.length === actual.length && timingSafeEqual(expected, actual);
}

/** The hash under which a token is stored. */
export function hashOf(token: string): string {
  return createHash('sha256').update(token, 'utf8').digest('hex');
}
