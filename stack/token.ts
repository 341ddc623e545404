// The owner's token: made by `murmur up`, kept in clear for the CLI and as a hash for the API server.
import { randomBytes } from 'node:crypto';
import { chmod, readFile } from 'node:fs/promises';
import writeFileAtomic from 'write-file-atomic';
import type { HomePaths } from '../config/home.ts';
import { hashOf } from '../drivers/tokens/token.ts';
import type { TokenEntry, TokenFile } from '../contract/wire/tokens.ts';
import { withStartLock } from './record.ts';

/** Readable by the owner alone. */
const PRIVATE = 0o600;

/**
 * Makes sure that the owner's token exists, is known to the API server's side and can be read by its owner alone.
 * Resolves with what was put right; undefined when all was well. Needs write access to the home.
 */
export async function ensureToken(home: HomePaths, account: string): Promise<'made' | 'repaired' | undefined> {
  return withStartLock(home, () => mend(home, account));
}

async function mend(home: HomePaths, account: string): Promise<'made' | 'repaired' | undefined> {
  const [token, file] = await Promise.all([readToken(home), readTokens(home)]);
  const known = file.tokens.find((entry) => entry.id === 'owner');
  if (token !== undefined && known?.sha256 === hashOf(token) && known.account === account) {
    await chmod(home.token, PRIVATE);
    await chmod(home.tokens, PRIVATE);
    return undefined;
  }
  await replaceToken(home, account, file);
  return known === undefined && token === undefined ? 'made' : 'repaired';
}

async function replaceToken(home: HomePaths, account: string, file: TokenFile): Promise<void> {
  const token = `mur_${randomBytes(32).toString('base64url')}`;
  const entry: TokenEntry = { id: 'owner', account, sha256: hashOf(token), created_at: new Date().toISOString() };
  const tokens: TokenFile = { tokens: [...file.tokens.filter((other) => other.id !== 'owner'), entry] };
  // The server's side first: a token that is refused would be worse than one that is not used yet.
  await writeFileAtomic(home.tokens, `${JSON.stringify(tokens, undefined, 2)}\n`, { mode: PRIVATE });
  await writeFileAtomic(home.token, `${token}\n`, { mode: PRIVATE });
}

async function readToken(home: HomePaths): Promise<string | undefined> {
  const text = await readFile(home.token, 'utf8').catch(() => '');
  return text.trim() === '' ? undefined : text.trim();
}

async function readTokens(home: HomePaths): Promise<TokenFile> {
  try {
    const content = JSON.parse(await readFile(home.tokens, 'utf8')) as Partial<TokenFile>;
    return { tokens: content.tokens ?? [] };
  } catch {
    return { tokens: [] };
  }
}
