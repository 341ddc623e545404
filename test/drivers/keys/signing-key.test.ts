import { chmod, readFile, readdir, stat, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { openSigningKey } from '../../../drivers/keys/signing-key.ts';
import { temporaryFolder } from '../temporary-folder.ts';

describe('the signing key', () => {
  it('is created once, readable by its owner only, and is the same for processes that start at once', async () => {
    await using folder = await temporaryFolder();
    const keys = join(folder.path, 'keys');
    const opened = await Promise.all(Array.from({ length: 8 }, () => openSigningKey(keys, undefined)));
    expect(new Set(opened.map(({ id }) => id)).size).toBe(1);
    expect(opened[0]?.id).toMatch(/^[0-9a-f]{8}$/);
    expect(await readdir(keys)).toEqual(['signing-key']);
    expect((await stat(keys)).mode & 0o777).toBe(0o700);
    expect((await stat(join(keys, 'signing-key'))).mode & 0o777).toBe(0o600);
    const again = await openSigningKey(keys, undefined);
    expect(again.derive('seals')).toEqual(opened[0]?.derive('seals'));
  });

  it('writes nothing at a later start', async () => {
    await using folder = await temporaryFolder();
    await openSigningKey(folder.path, undefined);
    await utimes(folder.path, 1, 1);
    await openSigningKey(folder.path, undefined);
    expect((await stat(folder.path)).mtimeMs).toBe(1_000);
  });

  it('derives a different key for each use, and its id is not part of any key', async () => {
    await using folder = await temporaryFolder();
    const key = await openSigningKey(folder.path, undefined);
    expect(key.derive('seals')).not.toEqual(key.derive('urls'));
    expect(await readFile(join(folder.path, 'signing-key'), 'utf8')).not.toContain(key.id);
  });

  it('comes from a file that several hosts share', async () => {
    await using folder = await temporaryFolder();
    const file = join(folder.path, 'shared');
    await writeFile(file, `${'0a'.repeat(32)}\n`, { mode: 0o600 });
    const [one, two] = await Promise.all(['a', 'b'].map((host) => openSigningKey(join(folder.path, host), file)));
    expect(one?.id).toBe(two?.id);
    expect(await readdir(folder.path)).toEqual(['shared']);
  });

  it('is rejected in another form, with a hint', async () => {
    await using folder = await temporaryFolder();
    const file = join(folder.path, 'short');
    await writeFile(file, 'abc', { mode: 0o600 });
    const refusal = { code: 'FAILED_PRECONDITION', message: expect.stringContaining('64 hex digits') };
    await expect(openSigningKey(folder.path, file)).rejects.toMatchObject(refusal);
    await expect(openSigningKey(folder.path, join(folder.path, 'none'))).rejects.toMatchObject({
      code: 'FAILED_PRECONDITION',
      message: expect.stringContaining('MURMUR_SIGNING_KEY_FILE cannot be read'),
    });
    const open = join(folder.path, 'open');
    await writeFile(open, 'ab'.repeat(32));
    await chmod(open, 0o644);
    await expect(openSigningKey(folder.path, open)).rejects.toMatchObject({
      code: 'FAILED_PRECONDITION',
      hint: `run \`chmod 600 ${open}\``,
    });
  });
});
