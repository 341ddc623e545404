import { describe, expect, it } from '@jest/globals';
import { execFileSync } from 'node:child_process';
import { chmod, mkdir, readFile, stat, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import {
  ensureHostId,
  homePaths,
  makeHome,
  murmurHome,
  notWritable,
  readHostId,
  requireSpace,
  userCacheFolder,
} from '../../config/home.ts';
import { temporaryFolder } from '../drivers/temporary-folder.ts';

describe('murmurHome', () => {
  it("is MURMUR_HOME, or .murmur in the user's home; an empty variable counts as unset", () => {
    expect(murmurHome({ MURMUR_HOME: '/nowhere/state', HOME: '/nowhere/jane' })).toBe('/nowhere/state');
    expect(murmurHome({ HOME: '/nowhere/jane' })).toBe('/nowhere/jane/.murmur');
    expect(murmurHome({ MURMUR_HOME: '', HOME: '/nowhere/jane' })).toBe('/nowhere/jane/.murmur');
  });

  it('is absolute', () => {
    expect(murmurHome({ MURMUR_HOME: 'no-such-folder/state' })).toBe(join(process.cwd(), 'no-such-folder/state'));
  });

  it('resolves links in the existing part of the path, so that hiding it hides the real folder', async () => {
    await using folder = await temporaryFolder();
    await mkdir(join(folder.path, 'disk'));
    await symlink(join(folder.path, 'disk'), join(folder.path, 'link'));
    expect(murmurHome({ MURMUR_HOME: join(folder.path, 'link') })).toBe(join(folder.path, 'disk'));
    expect(murmurHome({ MURMUR_HOME: join(folder.path, 'link', 'a', 'b') })).toBe(join(folder.path, 'disk', 'a', 'b'));
  });
});

describe('homePaths', () => {
  it('has the paths that other versions of Murmur use', () => {
    const { root, stackFile, token, tokens, hostId, temporal, logs, machines } = homePaths('/h');
    expect([root, stackFile, token, tokens, hostId, temporal.database, logs.worker, machines]).toEqual([
      '/h',
      '/h/stack.json',
      '/h/token',
      '/h/tokens.json',
      '/h/host-id',
      '/h/temporal/temporal.db',
      '/h/logs/worker.log',
      '/h/machines',
    ]);
  });
});

describe('makeHome', () => {
  it('makes the folder accessible to its owner only, also when others could read it', async () => {
    await using folder = await temporaryFolder();
    const paths = homePaths(join(folder.path, 'deep', 'home'));
    makeHome(paths);
    expect((await stat(paths.root)).mode & 0o777).toBe(0o700);
    await chmod(paths.root, 0o755);
    makeHome(paths);
    expect((await stat(paths.root)).mode & 0o777).toBe(0o700);
    expect((await stat(paths.machines)).isDirectory()).toBe(true);
  });

  it("makes Temporal's database accessible to its owner only, also when others could read it", async () => {
    await using folder = await temporaryFolder();
    const paths = homePaths(join(folder.path, 'home'));
    makeHome(paths);
    const files = ['', '-wal', '-shm'].map((ending) => `${paths.temporal.database}${ending}`);
    for (const file of files) await writeFile(file, '', { mode: 0o644 });
    makeHome(paths);
    for (const file of files) expect((await stat(file)).mode & 0o777).toBe(0o600);
  });

  it('throws FAILED_PRECONDITION that names the folder when it cannot be created', async () => {
    await using folder = await temporaryFolder();
    await writeFile(join(folder.path, 'file'), '');
    const paths = homePaths(join(folder.path, 'file', 'home'));
    expect(() => makeHome(paths)).toThrow(
      expect.objectContaining({ code: 'FAILED_PRECONDITION', message: expect.stringContaining(paths.root) }),
    );
  });
});

describe('a home that cannot be made', () => {
  it('below /proc is refused, where a recursive mkdir of Node never returns', () => {
    const home = pathToFileURL(join(import.meta.dirname, '../../config/home.ts')).href;
    const source = `import { homePaths, makeHome } from ${JSON.stringify(home)};
      try { makeHome(homePaths('/proc/murmur/home')); } catch (error) { console.log(error.code, error.message); }`;
    // Generous for a loaded machine: the process runs for ever or ends at once.
    const options = { encoding: 'utf8', timeout: 30_000 } as const;
    const printed = execFileSync(process.execPath, ['--input-type=module', '--eval', source], options);
    expect(printed).toMatch(/^FAILED_PRECONDITION MURMUR_HOME \/proc\/murmur\/home cannot be written: /);
  });

  it('is not started on a full disk, and the error says how much is free', () => {
    const space = (bavail: number, blocks: number) => () => ({ bavail, blocks, bsize: 1_000 });
    expect(() => requireSpace({ root: '/h' }, space(300, 10_000))).toThrow(
      expect.objectContaining({
        code: 'FAILED_PRECONDITION',
        message: 'the disk of MURMUR_HOME /h is full: 0.3 MB free',
        hint: 'free some space, or set MURMUR_HOME to another disk',
      }),
    );
    expect(() => requireSpace({ root: '/h' }, space(9_000, 10_000))).not.toThrow();
    expect(() => requireSpace({ root: '/network' }, space(0, 0))).not.toThrow();
  });

  it('on a full disk is refused with advice about the space', () => {
    const full = Object.assign(new Error('ENOSPC: no space left on device'), { code: 'ENOSPC' });
    expect(notWritable({ root: '/h' }, full)).toMatchObject({
      message: 'MURMUR_HOME /h cannot be written: ENOSPC: no space left on device',
      hint: 'free some space, or set MURMUR_HOME to another disk',
    });
  });
});

describe('the host id', () => {
  it('is 8 hexadecimal digits, created once', async () => {
    await using folder = await temporaryFolder();
    const paths = homePaths(folder.path);
    expect(readHostId(paths)).toBeUndefined();
    const id = ensureHostId(paths);
    expect(id).toMatch(/^[0-9a-f]{8}$/);
    expect(ensureHostId(paths)).toBe(id);
    expect(readHostId(paths)).toBe(id);
    expect(await readFile(paths.hostId, 'utf8')).toBe(`${id}\n`);
  });

  it('that is damaged causes an error that names the file', async () => {
    await using folder = await temporaryFolder();
    const paths = homePaths(folder.path);
    await writeFile(paths.hostId, 'not an id');
    expect(() => ensureHostId(paths)).toThrow(
      expect.objectContaining({ code: 'FAILED_PRECONDITION', message: expect.stringContaining(paths.hostId) }),
    );
  });
});

describe('userCacheFolder', () => {
  it.each([
    [{ HOME: '/u' }, 'linux', '/u/.cache/murmur'],
    [{ HOME: '/u' }, 'darwin', '/u/Library/Caches/murmur'],
    [{ HOME: '/u', XDG_CACHE_HOME: '/c' }, 'darwin', '/c/murmur'],
  ] as const)('of %j on %s is %s', (env, platform, expected) => {
    expect(userCacheFolder(env, platform)).toBe(expected);
  });
});
