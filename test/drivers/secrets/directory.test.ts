import { describe, expect, it } from '@jest/globals';
import { readdir, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describeSecretStore } from '../../../drivers/secrets/conformance.ts';
import { createDirectorySecretStore } from '../../../drivers/secrets/directory.ts';
import { temporaryFolder } from '../temporary-folder.ts';

describeSecretStore('directory', async () => {
  const folder = await temporaryFolder();
  return {
    store: createDirectorySecretStore(join(folder.path, 'secrets')),
    [Symbol.asyncDispose]: () => folder[Symbol.asyncDispose](),
  };
});

describe('directory secret store', () => {
  it('creates a folder and files that only the owner can read', async () => {
    await using folder = await temporaryFolder();
    const secrets = join(folder.path, 'secrets');
    await createDirectorySecretStore(secrets).put('ref', { A: '1' });
    expect((await stat(secrets)).mode & 0o777).toBe(0o700);
    expect((await stat(join(secrets, 'ref.json'))).mode & 0o777).toBe(0o600);
  });

  it('leaves nothing on the disk after delete', async () => {
    await using folder = await temporaryFolder();
    const store = createDirectorySecretStore(folder.path);
    await store.put('ref', { A: '1' });
    await store.delete('ref');
    expect(await readdir(folder.path)).toEqual([]);
  });

  it('reveals no value in the error for a damaged file', async () => {
    await using folder = await temporaryFolder();
    await writeFile(join(folder.path, 'ref.json'), '{"A": "hunter2"');
    const failure = await createDirectorySecretStore(folder.path)
      .get('ref')
      .catch((error: unknown) => error);
    expect(failure).toMatchObject({ code: 'UNAVAILABLE' });
    expect(JSON.stringify(failure, Object.getOwnPropertyNames(failure))).not.toContain('hunter2');
  });
});
