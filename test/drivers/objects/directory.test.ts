import { describe, expect, it } from '@jest/globals';
import type { ChildProcess } from 'node:child_process';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdir, readdir, stat, truncate, writeFile } from 'node:fs/promises';
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
  it('creates files that only the owner can read', async () => {
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

  it('does not list the partial file of a killed writer', async () => {
    await using folder = await temporaryFolder();
    const store = createDirectoryObjectStore(folder.path);
    await store.put('a/b', 'whole');
    await writeFile(join(folder.path, 'a', 'c@.123456'), 'ha');
    expect(await store.list('')).toEqual(['a/b']);
  });

  it('removes the partial file of an interrupted upload', async () => {
    await using folder = await temporaryFolder();
    const source = async function* (): AsyncGenerator<Uint8Array> {
      yield await Promise.resolve(Buffer.from('half'));
      throw new Error('gone');
    };
    await expect(createDirectoryObjectStore(folder.path).putStream('a/b', source())).rejects.toThrow('gone');
    expect(await readdir(join(folder.path, 'a'))).toEqual([]);
  });

  it('throws UNAVAILABLE that names the key when the disk fails', async () => {
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

  it('a stream fails when its file is truncated while it is read', async () => {
    await using folder = await temporaryFolder();
    const store = createDirectoryObjectStore(folder.path);
    await store.put('a', 'x'.repeat(2_000_000));
    const stream = await store.getStream('a');
    await truncate(join(folder.path, 'a@'), 1_000_000);
    await expect(stream?.content.toArray()).rejects.toThrow('too soon');
  });

  it('one of several processes succeeds to write for a generation, also after one was killed', async () => {
    await using folder = await temporaryFolder();
    const store = createDirectoryObjectStore(folder.path);
    await store.put('count', '0');
    const driver = join(import.meta.dirname, '../../../drivers/objects/directory.ts');
    const program = `
      import { createDirectoryObjectStore } from ${JSON.stringify(driver)};
      const store = createDirectoryObjectStore(${JSON.stringify(folder.path)});
      for (let done = 0; done < Number(process.argv[1]); ) {
        const { content, generation } = await store.read('count');
        done += await store.put('count', String(Number(content) + 1), { if: generation }).then(() => 1, () => 0);
        if (done === 5) process.stdout.write('five');
      }`;
    const counting = (times: number): ChildProcess =>
      spawn(process.execPath, ['--input-type=module', '-e', program, String(times)], {
        stdio: ['ignore', 'pipe', 'inherit'],
      });
    const killed = counting(1_000_000);
    await once(killed.stdout ?? killed, 'data');
    killed.kill('SIGKILL');
    await once(killed, 'exit');
    const before = Number(await store.get('count'));
    const ends = [20, 20, 20].map((times) => once(counting(times), 'exit'));
    expect(await Promise.all(ends)).toEqual([20, 20, 20].map(() => [0, null]));
    expect(Number(await store.get('count'))).toBe(before + 60);
    expect(await store.list('')).toEqual(['count']);
  }, 60_000);

  it('lists an empty store whose folder is read-only', async () => {
    await using folder = await temporaryFolder();
    await mkdir(join(folder.path, 'objects'));
    await chmod(join(folder.path, 'objects'), 0o500);
    expect(await createDirectoryObjectStore(join(folder.path, 'objects')).list('')).toEqual([]);
  });
});
