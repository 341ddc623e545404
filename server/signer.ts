// Signatures of the server's own: what it gave out it knows again, without keeping a list. One key for each installation.
import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import type { SecretStore } from '../drivers/secrets/secret-store.ts';

/** What a signature is for: one that was made for a port opens no page. */
type Purpose = 'page key' | 'page cookie' | 'port' | 'upload';

export interface Signer {
  /** 256 bits in base64url: 43 characters of `A-Za-z0-9_-`. The same for the same text. */
  sign(purpose: Purpose, text: string): string;
  /** Whether the signature is that of the text, in a time that tells nothing. */
  holds(purpose: Purpose, text: string, signature: string): boolean;
}

const KEY_REF = 'server-signing-key';
const KEY_NAME = 'KEY';

/** Signs with the installation's key, which is made when there is none. */
export async function createSigner(secrets: SecretStore): Promise<Signer> {
  const key = Buffer.from(await keyOf(secrets), 'hex');
  const sign = (purpose: Purpose, text: string): string =>
    createHmac('sha256', key).update(`${purpose}\n${text}`).digest('base64url');
  return {
    sign,
    holds: (purpose, text, signature) => {
      // As they are written: a signature has one form only.
      const given = Buffer.from(signature);
      const wanted = Buffer.from(sign(purpose, text));
      return given.length === wanted.length && timingSafeEqual(given, wanted);
    },
  };
}

async function keyOf(secrets: SecretStore): Promise<string> {
  const known = (await secrets.get(KEY_REF))[KEY_NAME];
  if (known !== undefined) return known;
  await secrets.put(KEY_REF, { [KEY_NAME]: randomBytes(32).toString('hex') });
  // Of two servers that start at once both take what stands there in the end.
  return (await secrets.get(KEY_REF))[KEY_NAME] ?? '';
}
