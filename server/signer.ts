// Signatures of the server's own: what it gave out it knows again, without keeping a list. One key for each installation.
import { createHmac, timingSafeEqual } from 'node:crypto';
import type { SigningKey } from '../drivers/keys/signing-key.ts';
import type { SecretStore } from '../drivers/secrets/secret-store.ts';

/** What a signature is for: one that was made for a port opens no page. */
type Purpose = 'page key' | 'port' | 'upload';

export interface Signer {
  /** 256 bits in base64url: 43 characters of `A-Za-z0-9_-`. The same for the same text. */
  sign(purpose: Purpose, text: string): string;
  /** Whether the signature is that of the text, in a time that tells nothing. */
  holds(purpose: Purpose, text: string, signature: string): boolean;
}

/** Signs with a key that is derived from the installation's. */
export function createSigner(installation: SigningKey): Signer {
  const key = installation.derive('urls');
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

/** Where earlier builds kept the server's key: in the store of the agents' secrets. */
const EARLIER_KEY_REF = 'server-signing-key';

/**
 * Removes the key of an earlier build. What was signed with it ends: agents could read it. Uploads stay, since each is
 * found by its id.
 */
export async function removeEarlierKey(secrets: SecretStore): Promise<void> {
  await secrets.delete(EARLIER_KEY_REF);
}
