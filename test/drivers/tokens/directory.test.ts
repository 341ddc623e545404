import { describe, expect, it } from '@jest/globals';
import { stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describeTokenStore } from '../../../drivers/tokens/conformance.ts';
import { createDirectoryTokenStore } from '../../../drivers/tokens/directory.ts';
import { findToken, mintToken } from '../../../drivers/tokens/token.ts';
import { temporaryFolder } from '../temporary-folder.ts';

describeTokenStore('directory', async () => {
  const folder = await temporaryFolder();
  return {
    store: createDirectoryTokenStore(join(folder.path, 'tokens')),
    [Symbol.asyncDispose]: () => folder[Symbol.asyncDispose](),
  };
});

describe('directory token store', () => {
  it('creates a folder and files that only the owner can read', async () => {
    await using folder = await temporaryFolder();
    const tokens = join(folder.path, 'tokens');
    await mintToken(createDirectoryTokenStore(tokens), { id: 'one', account: 'jane', created_at: 'now' });
    expect((await stat(tokens)).mode & 0o777).toBe(0o700);
    expect((await stat(join(tokens, 'one.json'))).mode & 0o777).toBe(0o600);
  });

  it('finds no token in a damaged file', async () => {
    await using folder = await temporaryFolder();
    const store = createDirectoryTokenStore(folder.path);
    const token = await mintToken(store, { id: 'one', account: 'jane', created_at: 'now' });
    await writeFile(join(folder.path, 'one.json'), '{"id":');
    expect(await findToken(store, token)).toBeUndefined();
    expect(await store.list()).toEqual([]);
  });
});
