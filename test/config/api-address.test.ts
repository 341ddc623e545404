import { describe, expect, it } from '@jest/globals';
import { writeFile } from 'node:fs/promises';
import { apiAddress } from '../../config/api-address.ts';
import { homePaths } from '../../config/home.ts';
import { temporaryFolder } from '../drivers/temporary-folder.ts';

describe('apiAddress', () => {
  it.each([
    ['http://127.0.0.1:7470', { host: '127.0.0.1', port: 7470 }],
    ['http://murmur.example', { host: 'murmur.example', port: 80 }],
    ['http://[::1]:7470/', { host: '::1', port: 7470 }],
    ['https://murmur.example', undefined],
    ['nonsense', undefined],
  ])('reads %s', async (url, address) => {
    await using folder = await temporaryFolder();
    expect(apiAddress({ MURMUR_API_URL: url }, homePaths(folder.path))).toEqual(address);
  });

  it("is the stack's current address, unless the environment overrides it", async () => {
    await using folder = await temporaryFolder();
    const home = homePaths(folder.path);
    expect(apiAddress({}, home)).toBeUndefined();
    for (const port of [5_001, 5_002]) {
      const stack = { temporal: { address: '127.0.0.1:7' }, server: { url: `http://127.0.0.1:${String(port)}` } };
      await writeFile(home.stackFile, JSON.stringify(stack));
      expect(apiAddress({ MURMUR_API_URL: '' }, home)).toEqual({ host: '127.0.0.1', port });
    }
    expect(apiAddress({ MURMUR_API_URL: 'http://127.0.0.1:6' }, home)).toEqual({ host: '127.0.0.1', port: 6 });
  });
});
