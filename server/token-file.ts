// The accounts that may call, by the hashes of their tokens: MURMUR_HOME/tokens.json.
import { createHash, timingSafeEqual } from 'node:crypto';
import { readFile, stat } from 'node:fs/promises';
import type { TokenEntry, TokenFile } from '../contract/wire/tokens.ts';
import type { Tokens } from './parts.ts';

/** Tokens of a file, read again whenever it has changed. No file means no tokens. */
export function createFileTokens(path: string): Tokens {
  let known: { readonly version: string; readonly entries: readonly TokenEntry[] } | undefined;
  const entries = async (): Promise<readonly TokenEntry[]> => {
    const version = await versionOf(path);
    if (known?.version !== version) known = { version, entries: await readEntries(path) };
    return known.entries;
  };
  return { source: path, identify: async (token) => findEntry(await entries(), token) };
}

/** The entry whose hash the token has. Every entry is compared, so that the time tells nothing. */
export function findEntry(entries: readonly TokenEntry[], token: string): TokenEntry | undefined {
  const hash = createHash('sha256').update(token, 'utf8').digest();
  let found: TokenEntry | undefined;
  for (const entry of entries) {
    const expected = Buffer.from(entry.sha256, 'hex');
    if (expected.length === hash.length && timingSafeEqual(expected, hash)) found = entry;
  }
  return found;
}

async function versionOf(path: string): Promise<string> {
  try {
    const { mtimeMs, size, ino } = await stat(path);
    return `${String(ino)}:${String(size)}:${String(mtimeMs)}`;
  } catch {
    return 'absent';
  }
}

/** A file that cannot be read or understood lets nobody in. */
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
