// The valid tokens: the owner's in MURMUR_HOME/tokens.json, and those in the token store.
import { readFile, stat } from 'node:fs/promises';
import type { TokenEntry, TokenFile } from '../contract/wire/tokens.ts';
import { findToken, matches } from '../drivers/tokens/token.ts';
import type { TokenStore } from '../drivers/tokens/token-store.ts';
import type { Tokens } from './parts.ts';
import { idInName, tokenName } from './token-name.ts';

/** Tokens of a file, which is read again after changes, and of a store. The file may be missing. */
export function createTokens(path: string, store: TokenStore): Tokens {
  let known: { readonly version: string; readonly entries: readonly TokenEntry[] } | undefined;
  const entries = async (): Promise<readonly TokenEntry[]> => {
    const version = await versionOf(path);
    if (known?.version !== version) known = { version, entries: await readEntries(path) };
    return known.entries;
  };
  return {
    source: path,
    identify: async (token) => findEntry(await entries(), token) ?? (await findToken(store, token)),
    version: async () => (await Promise.all([versionOf(path), store.version()])).join(' '),
    named: async (name) => await findNamed(await entries(), store, name),
  };
}

/** The entry with the token's hash. Compares all entries, so that timing reveals nothing. */
export function findEntry(entries: readonly TokenEntry[], token: string): TokenEntry | undefined {
  let found: TokenEntry | undefined;
  for (const entry of entries) {
    if (matches(entry, token)) found = entry;
  }
  return found;
}

/** The entry with that name, in the list or in the store. */
export async function findNamed(
  entries: readonly TokenEntry[],
  store: TokenStore,
  name: string,
): Promise<TokenEntry | undefined> {
  const stored = await store.get(idInName(name));
  return [...entries, ...(stored === undefined ? [] : [stored])].find((entry) => tokenName(entry) === name);
}

async function versionOf(path: string): Promise<string> {
  try {
    const { mtimeMs, size, ino } = await stat(path);
    return `${String(ino)}:${String(size)}:${String(mtimeMs)}`;
  } catch {
    return 'absent';
  }
}

/** An unreadable or invalid file has no entries. */
async function readEntries(path: string): Promise<readonly TokenEntry[]> {
  try {
    const content = JSON.parse(await readFile(path, 'utf8')) as Partial<TokenFile>;
    return (content.tokens ?? []).filter(
      (entry) => typeof entry.sha256 === 'string' && typeof entry.account === 'string',
    );
  } catch {
    return [];
  }
}
