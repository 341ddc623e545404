import { describe, expect, it } from '@jest/globals';
import { chmod, mkdir, readdir, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describeObjectStore } from '../../../drivers/objects/conformance.ts';
import { createDirectoryObjectStore } from '../../../drivers/objects/directory.ts';
import { temporaryFolder } from '../temporary-folder.ts';

describeObjectStore('directory', async () => {
  const folder = await temporaryFolder();
  return {
    store: createDirectoryObjectStore(join(folder.path, 'objects')),
    [Symbol.asyncDispose]: () => folder[Symbol.asyncDispose](),
  };
});

describe('directory object store', () => {
  it('keeps its files to their owner', async () => {
    await using folder = await temporaryFolder();
    await createDirectoryObjectStore(join(folder.path, 'objects')).put('a/b', 'x');
    const [file] = await readdir(join(folder.path, 'objects', 'a'));
    expect((await stat(join(folder.path, 'objects', 'a', file ?? ''))).mode & 0o777).toBe(0o600);
    expect((await stat(join(folder.path, 'objects'))).mode & 0o777).toBe(0o700);
  });

  it('is read by another instance on the same folder', async () => {
    await using folder = await temporaryFolder();
    await createDirectoryObjectStore(folder.path).put('a/b', 'x');
    expect((await createDirectoryObjectStore(folder.path).get('a/b'))?.toString()).toBe('x');
  });

  it('does not list what a killed writer left half-written', async () => {
    await using folder = await temporaryFolder();
    const store = createDirectoryObjectStore(folder.path);
    await store.put('a/b', 'whole');
    await writeFile(join(folder.path, 'a', 'c@.123456'), 'ha');
    expect(await store.list('')).toEqual(['a/b']);
  });

  it('leaves no part of an upload that broke off', async () => {
    await using folder = await temporaryFolder();
    const source = async function* (): AsyncGenerator<Uint8Array> {
      yield await Promise.resolve(Buffer.from('half'));
      throw new Error('gone');
    };
    await expect(createDirectoryObjectStore(folder.path).putStream('a/b', source())).rejects.toThrow('gone');
    expect(await readdir(join(folder.path, 'a'))).toEqual([]);
  });

  it('is UNAVAILABLE, naming the key, when the disk refuses', async () => {
    await using folder = await temporaryFolder();
    await writeFile(join(folder.path, 'file'), '');
    const store = createDirectoryObjectStore(join(folder.path, 'file'));
    await expect(store.put('a/b', 'x')).rejects.toMatchObject({
      code: 'UNAVAILABLE',
      message: expect.stringContaining('a/b'),
    });
    const empty = async function* (): AsyncGenerator<Uint8Array> {};
    await expect(store.putStream('a/b', empty())).rejects.toMatchObject({ code: 'UNAVAILABLE' });
  });

  it('lists an empty store whose folder is read-only', async () => {
    await using folder = await temporaryFolder();
    await mkdir(join(folder.path, 'objects'));
    await chmod(join(folder.path, 'objects'), 0o500);
    expect(await createDirectoryObjectStore(join(folder.path, 'objects')).list('')).toEqual([]);
  });
});
