// The owner's token. `murmur up` creates it and stores it in clear text for the CLI and as a hash for the API server.
import { randomBytes } from 'node:crypto';
import { chmod, readFile } from 'node:fs/promises';
import writeFileAtomic from 'write-file-atomic';
import { notWritable, type HomePaths } from '../config/home.ts';
import { hashOf } from '../drivers/tokens/token.ts';
import type { TokenEntry, TokenFile } from '../contract/wire/tokens.ts';
import { withStartLock } from './record.ts';

/** Readable by the owner only. */
const PRIVATE = 0o600;

/**
 * Ensures that the owner's token exists, that the API server knows its hash, and that only its owner can read it.
 * Resolves with what was changed, or undefined. Throws FAILED_PRECONDITION when the home cannot be written.
 */
export async function ensureToken(home: HomePaths, account: string): Promise<'made' | 'repaired' | undefined> {
  try {
    return await withStartLock(home, () => repair(home, account));
  } catch (error) {
    // A lock that another process keeps is no fault of the folder.
    throw (error as NodeJS.ErrnoException).code === 'ELOCKED' ? error : notWritable(home, error);
  }
}

async function repair(home: HomePaths, account: string): Promise<'made' | 'repaired' | undefined> {
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
  // The server's file first: a rejected token would be worse than an unused one.
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
