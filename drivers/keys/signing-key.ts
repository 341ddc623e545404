// The key of an installation, shared by API server and worker. Each use derives its own key, so a signature made for
// one use is never valid for another.
import { createHash, createHmac, randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { MurmurError } from '../../contract/wire/errors.ts';
import { createFile } from '../objects/file-stream.ts';

/** What a derived key is for. */
export type KeyUse = 'seals' | 'urls';

export interface SigningKey {
  /** The first 8 hex digits of the key's hash: identifies the key without revealing it. */
  readonly id: string;
  /** 32 bytes; always the same for one use. */
  derive(use: KeyUse): Buffer;
}

/** The key's file in MURMUR_HOME/keys. */
const FILE = 'signing-key';
const FORM = /^[0-9a-f]{64}$/;

/** The key of these 32 bytes. */
export function signingKey(bytes: Buffer): SigningKey {
  return {
    id: createHash('sha256').update(bytes).digest('hex').slice(0, 8),
    derive: (use) => createHmac('sha256', bytes).update(`murmur ${use}`).digest(),
  };
}

/**
 * The installation's key: from `file`, which several hosts may share, else from the folder. There it is created (0600)
 * if missing. Two processes that start at once get the same key. Throws FAILED_PRECONDITION when the file does not hold
 * 64 hex digits, or when every user may read it.
 */
export async function openSigningKey(folder: string, file: string | undefined): Promise<SigningKey> {
  if (file !== undefined) return await readKey(file, 'MURMUR_SIGNING_KEY_FILE');
  const path = join(folder, FILE);
  if (!existsSync(path)) {
    await mkdir(folder, { recursive: true, mode: 0o700 });
    // When two processes create a key at once, the first one's is kept.
    await createFile(path, `${randomBytes(32).toString('hex')}\n`);
  }
  return await readKey(path, 'the signing key');
}

async function readKey(path: string, name: string): Promise<SigningKey> {
  const text = await readFile(path, 'utf8').catch((error: unknown) => {
    throw unusable(`${name} cannot be read: ${error instanceof Error ? error.message : String(error)}`, path);
  });
  // "Others" include agents that run with their own user ids.
  if (((await stat(path)).mode & 0o007) !== 0) {
    throw new MurmurError('FAILED_PRECONDITION', `${name}, ${path}, is open to everybody on this host`, {
      hint: `run \`chmod 600 ${path}\``,
      details: { path },
    });
  }
  const hex = text.trim();
  if (FORM.test(hex)) return signingKey(Buffer.from(hex, 'hex'));
  throw unusable(`${name}, ${path}, does not hold 64 hex digits`, path);
}

function unusable(message: string, path: string): MurmurError {
  return new MurmurError('FAILED_PRECONDITION', message, {
    hint: `write one with \`openssl rand -hex 32 > ${path}\`; agents that were sealed with another key are refused`,
    details: { path },
  });
}
