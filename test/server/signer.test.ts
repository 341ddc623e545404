import { describe, expect, test } from '@jest/globals';
import { signingKey } from '../../drivers/keys/signing-key.ts';
import { createMemorySecretStore } from '../../drivers/secrets/memory.ts';
import { createSigner, removeEarlierKey } from '../../server/signer.ts';

const KEY = signingKey(Buffer.alloc(32, 1));

describe('a signature', () => {
  test('is valid on a restarted server, and on no other installation', () => {
    const signature = createSigner(KEY).sign('port', 'text');
    expect(signature).toMatch(/^[\w-]{43}$/);
    expect(createSigner(signingKey(Buffer.alloc(32, 1))).holds('port', 'text', signature)).toBe(true);
    expect(createSigner(signingKey(Buffer.alloc(32, 2))).holds('port', 'text', signature)).toBe(false);
  });

  test('is valid only for its purpose and its text, in one encoding', () => {
    const { sign, holds } = createSigner(KEY);
    const signature = sign('page key', 'text');
    expect(holds('page key', 'text', signature)).toBe(true);
    expect(holds('port', 'text', signature)).toBe(false);
    expect(holds('page key', 'text2', signature)).toBe(false);
    for (const other of ['', signature.slice(1), `${signature}=`, `${signature.slice(0, -1)}!`]) {
      expect(holds('page key', 'text', other)).toBe(false);
    }
  });
});

test('the key of an earlier build is removed from the secret store', async () => {
  const secrets = createMemorySecretStore();
  await secrets.put('server-signing-key', { KEY: 'ab'.repeat(32) });
  await removeEarlierKey(secrets);
  await removeEarlierKey(secrets);
  expect(await secrets.get('server-signing-key')).toEqual({});
});
