// The server's signatures: with them it recognizes tokens that it issued, without storing them. One key per
// installation.
import { createHmac, timingSafeEqual } from 'node:crypto';
import type { SigningKey } from '../drivers/keys/signing-key.ts';
import type { SecretStore } from '../drivers/secrets/secret-store.ts';

/** The purpose of a signature: one for a port is not valid for a page. */
type Purpose = 'page key' | 'port' | 'upload';

export interface Signer {
  /** 256 bits in base64url: 43 characters of `A-Za-z0-9_-`. Deterministic. */
  sign(purpose: Purpose, text: string): string;
  /** Whether the signature belongs to the text. Constant time. */
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
      // Compared as text, because a signature has only one encoding.
      const given = Buffer.from(signature);
      const wanted = Buffer.from(sign(purpose, text));
      return given.length === wanted.length && timingSafeEqual(given, wanted);
    },
  };
}

/** Reference under which earlier builds stored the server's key, in the store of agents' secrets. */
const EARLIER_KEY_REF = 'server-signing-key';

/**
 * Removes the key of an earlier build, which agents could read. Tokens that were signed with it become invalid. Uploads
 * stay, because they are found by id.
 */
export async function removeEarlierKey(secrets: SecretStore): Promise<void> {
  await secrets.delete(EARLIER_KEY_REF);
}
