// Names of tokens in links. A link names the token that requested it and ends with that token.
import { createHash } from 'node:crypto';
import type { TokenEntry } from '../contract/wire/tokens.ts';
import type { ServerParts } from './parts.ts';
import { expiry } from './token-watch.ts';

/** Hex digits of a hash that only the server knows: enough to distinguish two tokens of one id. */
const MARK_LENGTH = 16;

/**
 * `<id>-<16 hex>` of `A-Za-z0-9-`, or `-<16 hex>` for an entry without an id. A token that is recreated under the same
 * id, such as the owner's, has another name.
 */
export function tokenName({ id = '', sha256 }: Pick<TokenEntry, 'id' | 'sha256'>): string {
  return `${id}-${createHash('sha256').update(`name\n${sha256}`).digest('hex').slice(0, MARK_LENGTH)}`;
}

/** The id in a name; empty when the entry has none. */
export function idInName(name: string): string {
  return name.slice(0, -MARK_LENGTH - 1);
}

/** The entry of a valid token: not revoked, replaced or expired. */
export async function livingToken(parts: Pick<ServerParts, 'tokens'>, name: string): Promise<TokenEntry | undefined> {
  const entry = await parts.tokens.named(name);
  return entry === undefined || expiry(entry) !== undefined ? undefined : entry;
}
