import { describe, expect, it } from '@jest/globals';
import { loadConfig } from '../../config/config.ts';
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
    'is not %j, and the error quotes it',
    async (value) => {
      const refusal = { code: 'INVALID_ARGUMENT', message: expect.stringContaining(JSON.stringify(value)) };
      await expect(publicUrl(value)).rejects.toMatchObject(refusal);
    },
  );
});

it('the upload limit is 100 MB unless MURMUR_MAX_UPLOAD_MB sets another one', async () => {
  await using folder = await temporaryFolder();
  const env = { MURMUR_HOME: folder.path };
  const source = { cwd: folder.path };
  expect((await loadConfig(env, source)).uploadLimit).toBe(100_000_000);
  expect((await loadConfig({ ...env, MURMUR_MAX_UPLOAD_MB: '5' }, source)).uploadLimit).toBe(5_000_000);
  const wrong = loadConfig({ ...env, MURMUR_MAX_UPLOAD_MB: '0.5' }, source);
  await expect(wrong).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
});

it('events are kept for 90 days after the last one unless MURMUR_EVENT_DAYS sets another time', async () => {
  await using folder = await temporaryFolder();
  const env = { MURMUR_HOME: folder.path, HOME: folder.path };
  const source = { cwd: folder.path };
  expect((await loadConfig(env, source)).eventDays).toBe(90);
  expect((await loadConfig({ ...env, MURMUR_EVENT_DAYS: '7' }, source)).eventDays).toBe(7);
});
