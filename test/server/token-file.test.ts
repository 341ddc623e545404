import { createHash } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { createMemoryTokenStore } from '../../drivers/tokens/memory.ts';
import { createTokens } from '../../server/token-file.ts';
import { tokenName } from '../../server/token-name.ts';

let folder: string;
let file: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'murmur-tokens-'));
  file = join(folder, 'tokens.json');
});
afterEach(async () => {
  await rm(folder, { recursive: true, force: true });
});

async function write(...tokens: readonly string[]): Promise<void> {
  const entries = tokens.map((token) => ({
    id: 'owner',
    account: `account-of-${token}`,
    sha256: createHash('sha256').update(token).digest('hex'),
    created_at: '2026-01-01T00:00:00.000Z',
  }));
  await writeFile(file, JSON.stringify({ tokens: entries }));
}

test('a token is found by its hash', async () => {
  await write('one', 'two');
  const tokens = createTokens(file, createMemoryTokenStore());
  expect(tokens.source).toBe(file);
  expect(await tokens.identify('two')).toMatchObject({ account: 'account-of-two' });
  expect(await tokens.identify('three')).toBeUndefined();
});

test('the hash itself is not a valid token', async () => {
  await write('one');
  const hash = createHash('sha256').update('one').digest('hex');
  expect(await createTokens(file, createMemoryTokenStore()).identify(hash)).toBeUndefined();
});

test('a repaired file takes effect at once', async () => {
  const tokens = createTokens(file, createMemoryTokenStore());
  expect(await tokens.identify('one')).toBeUndefined();
  await write('one');
  expect(await tokens.identify('one')).toMatchObject({ account: 'account-of-one' });
  await write('another');
  expect(await tokens.identify('one')).toBeUndefined();
});

test('the version changes with the file and with the store', async () => {
  const store = createMemoryTokenStore();
  const tokens = createTokens(file, store);
  const versions = new Set([await tokens.version()]);
  await write('one');
  versions.add(await tokens.version());
  await store.delete('agent-1');
  versions.add(await tokens.version());
  expect(versions.size).toBe(3);
});

test('a link names the token that requested it, and a token that is recreated under the same id has another name', async () => {
  const store = createMemoryTokenStore();
  const tokens = createTokens(file, store);
  await write('one');
  const owner = tokenName((await tokens.identify('one')) ?? { sha256: '' });
  expect(owner).toMatch(/^owner-[0-9a-f]{16}$/);
  expect(await tokens.named(owner)).toMatchObject({ account: 'account-of-one' });
  await write('another');
  expect(await tokens.named(owner)).toBeUndefined();
  await store.put({ id: 'token-1', sha256: 'ab', account: 'a', created_at: '2026-01-01T00:00:00.000Z' });
  const mine = tokenName({ id: 'token-1', sha256: 'ab' });
  expect(await tokens.named(mine)).toMatchObject({ id: 'token-1' });
  await store.delete('token-1');
  expect(await tokens.named(mine)).toBeUndefined();
  // An entry without an id is identified by its hash only.
  const nameless = { sha256: createHash('sha256').update('x').digest('hex'), account: 'a', created_at: '2026-01-01' };
  await writeFile(file, JSON.stringify({ tokens: [nameless] }));
  expect(await tokens.named(tokenName(nameless))).toMatchObject({ account: 'a' });
});

test.each(['', '{', '[]', '{"tokens": [{"sha256": 7}]}', 'null'])(
  'the file %j has no valid tokens',
  async (content) => {
    await writeFile(file, content);
    expect(await createTokens(file, createMemoryTokenStore()).identify('')).toBeUndefined();
  },
);
