import { describe, expect, test } from '@jest/globals';
import { createMemorySecretStore } from '../../drivers/secrets/memory.ts';
import { createSigner } from '../../server/signer.ts';

describe('a signature', () => {
  test('is known again by a server that was started again, and by no other installation', async () => {
    const secrets = createMemorySecretStore();
    const signature = (await createSigner(secrets)).sign('port', 'text');
    expect(signature).toMatch(/^[\w-]{43}$/);
    expect((await createSigner(secrets)).holds('port', 'text', signature)).toBe(true);
    expect((await createSigner(createMemorySecretStore())).holds('port', 'text', signature)).toBe(false);
  });

  test('holds for its purpose and its text, in one form only', async () => {
    const { sign, holds } = await createSigner(createMemorySecretStore());
    const signature = sign('page key', 'text');
    expect(holds('page key', 'text', signature)).toBe(true);
    expect(holds('page cookie', 'text', signature)).toBe(false);
    expect(holds('page key', 'text2', signature)).toBe(false);
    for (const other of ['', signature.slice(1), `${signature}=`, `${signature.slice(0, -1)}!`]) {
      expect(holds('page key', 'text', other)).toBe(false);
    }
  });

  test('is the same from two servers that start at once', async () => {
    const secrets = createMemorySecretStore();
    const [one, two] = await Promise.all([createSigner(secrets), createSigner(secrets)]);
    expect(one.sign('port', 'x')).toBe(two.sign('port', 'x'));
  });
});
