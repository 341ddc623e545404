import { writeFile } from 'node:fs/promises';
import { describe, expect, it } from '@jest/globals';
import { loadConfig } from '../../config/config.ts';
import { controlPorts } from '../../config/control-ports.ts';
import { homePaths } from '../../config/home.ts';
import { temporaryFolder } from '../drivers/temporary-folder.ts';

describe('MURMUR_PUBLIC_URL', () => {
  async function publicUrl(value?: string): Promise<string | undefined> {
    await using folder = await temporaryFolder();
    const env = { MURMUR_HOME: folder.path, ...(value === undefined ? {} : { MURMUR_PUBLIC_URL: value }) };
    return (await loadConfig(env, { cwd: folder.path })).publicUrl;
  }

  it('is an origin, or absent', async () => {
    expect(await publicUrl()).toBeUndefined();
    expect(await publicUrl('https://murmur.example/')).toBe('https://murmur.example');
    expect(await publicUrl('http://Murmur.example:8443')).toBe('http://murmur.example:8443');
  });

  it.each(['murmur.example', 'ftp://x', 'https://x/path', 'https://user@x', 'https://x?y', 'https://x#y'])(
    'is not %j, and the refusal quotes it',
    async (value) => {
      const refusal = { code: 'INVALID_ARGUMENT', message: expect.stringContaining(JSON.stringify(value)) };
      await expect(publicUrl(value)).rejects.toMatchObject(refusal);
    },
  );
});

it('the largest upload has 100 MB unless MURMUR_MAX_UPLOAD_MB says otherwise', async () => {
  await using folder = await temporaryFolder();
  const env = { MURMUR_HOME: folder.path };
  const source = { cwd: folder.path };
  expect((await loadConfig(env, source)).uploadLimit).toBe(100_000_000);
  expect((await loadConfig({ ...env, MURMUR_MAX_UPLOAD_MB: '5' }, source)).uploadLimit).toBe(5_000_000);
  const wrong = loadConfig({ ...env, MURMUR_MAX_UPLOAD_MB: '0.5' }, source);
  await expect(wrong).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
});

it('the ports of Murmur itself are those that are configured and those that the stack has settled', async () => {
  await using folder = await temporaryFolder();
  const home = homePaths(folder.path);
  expect([...controlPorts(home, { api: 1, temporal: '10.0.0.7:2' })]).toEqual([1, 2]);
  const url = (port: number): string => `http://127.0.0.1:${String(port)}`;
  const temporal = { address: '127.0.0.1:3', namespace: 'd', ui_url: url(4), http_url: url(5), metrics_url: url(6) };
  await writeFile(home.stackFile, JSON.stringify({ temporal, server: { url: url(7) } }));
  expect([...controlPorts(home, { api: 0, temporal: undefined })].toSorted()).toEqual([3, 4, 5, 6, 7]);
});
