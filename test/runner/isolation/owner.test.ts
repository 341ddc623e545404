// An agent with the owner's user id: only its mounts protect the owner's files.
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { execFile } from 'node:child_process';
import { chmod, mkdir, mkdtemp, realpath, rm, symlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { ownerHome } from '../../../runner/isolation/owner-home.ts';
import { HeldMachine } from './held-machine.ts';
import { asUser } from './variants.ts';

jest.setTimeout(60_000);

const run = promisify(execFile);
const PROGRAM = '#!/bin/sh\necho ran\n';

/** Files and links of a home, by path. A text that begins with `->` is the target of a link. */
const FILES = {
  '.gitconfig': '[user]\n',
  '.bashrc': '',
  '.ssh/id_ed25519': 'private',
  '.cargo/credentials.toml': 'private',
  '.cargo/bin/cargo': PROGRAM,
  '.cache/murmur/temporal-1/temporal': PROGRAM,
  '.local/share/keyrings/login': 'private',
  '.local/share/pipx/venvs/tool/bin/tool': PROGRAM,
  '.local/share/pipx/venvs/tool/lib/module': 'part of the tool',
  '.local/bin/tool': '-> ../share/pipx/venvs/tool/bin/tool',
  '.local/lib/python3/module': 'a library',
  '.nvm/versions/node/v1/bin/npm': '-> ../lib/node_modules/npm/cli.js',
  '.nvm/versions/node/v1/lib/node_modules/npm/cli.js': PROGRAM,
  '.nvm/versions/node/v1/lib/node_modules/other/index.js': 'beside it',
  'murmur/node_modules/murmur/bin/murmur.js': PROGRAM,
  'murmur/node_modules/dependency/index.js': 'a dependency',
  'project/secret': 'private',
  'data/named': 'named by a person',
} as const;

async function makeHome(home: string): Promise<void> {
  for (const [name, content] of Object.entries(FILES)) {
    const path = join(home, name);
    await mkdir(dirname(path), { recursive: true });
    if (content.startsWith('-> ')) await symlink(content.slice(3), path);
    else await writeFile(path, content, { mode: content === PROGRAM ? 0o755 : 0o644 });
  }
}

const pathOf = (home: string): string =>
  ['.cargo/bin', '.local/bin', '.nvm/versions/node/v1/bin'].map((folder) => join(home, folder)).join(':');

describe("what is shown of the owner's HOME", () => {
  let home: string;
  beforeAll(async () => {
    home = await realpath(await mkdtemp('/tmp/murmur-home-'));
    await makeHome(home);
  });
  afterAll(async () => {
    await rm(home, { recursive: true });
  });

  it('includes folders of PATH, the installations of their programs and links, and those of needed programs', () => {
    const program = join(home, 'murmur/node_modules/murmur/bin/murmur.js');
    const found = ownerHome({ HOME: home, PATH: `/usr/bin:${pathOf(home)}:${home}/none` }, [program, '/usr/bin/node']);
    expect(found?.home).toBe(home);
    expect([...(found?.shown ?? [])].sort()).toEqual(
      [
        '.cargo/bin',
        '.local/bin',
        '.local/lib',
        '.local/share/pipx/venvs/tool',
        '.nvm/versions/node/v1',
        '.nvm/versions/node/v1/bin',
        '.nvm/versions/node/v1/lib/node_modules',
        'murmur/node_modules',
        'murmur/node_modules/murmur/bin',
      ].map((path) => join(home, path)),
    );
  });

  it.each([
    ['does not exist', '/murmur-no-such-home'],
    ['is the root', '/'],
  ])('is undefined when it %s', (_, path) => {
    expect(ownerHome({ HOME: path, PATH: '' }, [])).toBeUndefined();
  });
});

(asUser.isPossible ? describe : describe.skip)("an agent of the owner's user", () => {
  let home: string;
  let machine: HeldMachine;
  beforeAll(async () => {
    // Not in /tmp, because the agent has its own.
    home = await mkdtemp('/var/tmp/murmur-home-');
    await makeHome(home);
    const owner = String(asUser.options.holderUid ?? process.getuid?.());
    await run('chown', ['-R', owner, home]);
    const program = join(home, 'murmur/node_modules/murmur/bin/murmur.js');
    machine = await HeldMachine.create({
      ...asUser.options,
      parent: home,
      hide: [home],
      keep: ownerHome({ HOME: home, PATH: pathOf(home) }, [program])?.shown ?? [],
      show: [join(home, 'data/named'), join(home, 'absent')],
      inherits: home,
    });
    await chmod(machine.home, 0o755);
  });
  afterAll(async () => {
    await machine.remove();
    await rm(home, { recursive: true });
  });

  it.each([
    '.gitconfig',
    '.bashrc',
    '.profile',
    '.cache/murmur/temporal-1/temporal',
    '.cargo/bin/cargo',
    '.local/bin/tool',
    '.local/share/pipx/venvs/tool/lib/module',
    'murmur/node_modules/murmur/bin/murmur.js',
    'data/named',
  ])('cannot write ~/%s', async (path) => {
    const file = join(home, path);
    const end = await machine.run(`echo evil >>'${file}'; mv -f '${file}' '${file}-2'; rm -rf '${file}'; ls '${home}'`);
    expect(end.stderr).toMatch(/Read-only file system|No such file/);
    const { stdout } = await run('grep', ['-rl', 'evil', home]).catch(() => ({ stdout: '' }));
    expect(stdout).toBe('');
  });

  it.each(['.ssh/id_ed25519', '.cargo/credentials.toml', '.local/share/keyrings/login', 'project/secret'])(
    'cannot read ~/%s',
    async (path) => {
      const end = await machine.run(`cat '${join(home, path)}'`);
      expect(end).toMatchObject({ stdout: '', stderr: expect.stringContaining('No such file') });
    },
  );

  it("runs programs of the owner's PATH, and reads paths of `show`", async () => {
    const end = await machine.run(`cargo && tool && npm && cat '${home}/data/named'; ls '${home}/data'`, {
      env: { PATH: `${pathOf(home)}:/usr/bin:/bin` },
    });
    expect(end).toMatchObject({ stdout: 'ran\nran\nran\nnamed by a personnamed\n', stderr: '' });
  });

  it('can write only to its own folders and temporary ones', async () => {
    const own = Object.values(machine.paths).map((path) => `-path '${path}'`);
    const kept = [...own, '-path /proc', '-path /tmp', '-path /dev'].join(' -o ');
    const found = await machine.run(`find / \\( ${kept} \\) -prune -o -writable ! -type l -print`);
    expect(found.stdout).toBe('');
    // The search has read every folder that it may.
    expect(found.stderr).not.toContain('failed to read');
    const { stdout } = await machine.run('find /dev -mindepth 1 -writable ! -type l');
    const devices = ['full', 'null', 'ptmx', 'pts/ptmx', 'random', 'shm', 'tty', 'urandom', 'zero'];
    expect(stdout.trim().split('\n').sort()).toEqual(devices.map((name) => `/dev/${name}`));
  });

  it('cannot remove or add a mount, or make one writable', async () => {
    const end = await machine.run(
      [
        `umount '${home}'`,
        `umount -l /`,
        `mount -o remount,bind,rw /`,
        `mount -t tmpfs none /mnt`,
        `unshare --user --map-root-user true`,
        `unshare --mount true`,
        `nsenter --target 1 --mount true`,
        `chroot / true`,
      ].join(' && echo done; '),
    );
    expect(end.stdout).toBe('');
  });

  it('reaches neither the first process of its namespaces, which has rights over them, nor the one that started it', async () => {
    const { stdout } = await machine.run(
      'cat /proc/1/environ /proc/1/maps /proc/1/mem; ls /proc/1/root /proc/1/cwd; cat /proc/1/fd/*',
    );
    expect(stdout).toBe('');
  });

  it('sees no terminal of the owner and only harmless devices, and can open its own terminals', async () => {
    const { stdout } = await machine.run('ls /dev /dev/pts; script -qec "echo terminal" /dev/null');
    expect(stdout.split(/\s+/).filter((word) => word !== '')).toEqual(
      expect.arrayContaining(['null', 'ptmx', 'terminal', 'urandom']),
    );
    expect(stdout).not.toMatch(/^(tty\d+|sd.*|nvme.*|vd.*|loop.*|kvm|fuse|dri|snd|video.*|mem|\d+)$/m);
    expect(await machine.run('echo x >/dev/null && bash -c "cat <(echo y)"')).toMatchObject({
      code: 0,
      stdout: 'y\n',
    });
  });

  it('inherits no open folder from its parent process, which would bypass the covers', async () => {
    const { stdout } = await machine.run('cat /proc/self/fd/200/.gitconfig; cd /proc/self/fd/200 && ls -A');
    expect(stdout).toBe('');
  });

  it("sees none of the host's sockets in /run", async () => {
    const { stdout } = await machine.run('find /run -type s; ls -d /run/user /run/docker.sock /run/dbus 2>/dev/null');
    expect(stdout).toBe('');
  });

  it('sees only its own folders of HOME on a machine of the provider, and runs murmur', async () => {
    const own = await mkdtemp('/var/tmp/murmur-owner-');
    await writeFile(join(own, '.bashrc'), '');
    await mkdir(join(own, '.murmur'));
    const { holderUid } = asUser.options;
    if (holderUid !== undefined) await run('chown', ['-R', String(holderUid), own]);
    const script =
      'find "$OWNER" -maxdepth 1 -mindepth 1; touch "$OWNER/.bashrc"; touch "$HOME/x" && murmur version --client';
    const words = [
      process.execPath,
      join(import.meta.dirname, 'owner-machine-process.ts'),
      join(own, '.murmur'),
      script,
    ];
    const [file = '', ...args] = holderUid === undefined ? words : [...wordsAs(holderUid), ...words];
    const { stdout } = await run(file, args, { cwd: '/', env: { HOME: own, PATH: process.env['PATH'] } });
    await rm(own, { recursive: true });
    const end = JSON.parse(stdout) as { code: number; stdout: string; stderr: string };
    expect(end).toMatchObject({ code: 0, stderr: expect.stringContaining('Read-only file system') });
    expect(end.stdout).toMatch(new RegExp(`^${own}/.murmur\\n.*\\d+\\.\\d+`));
    expect(end.code).toBe(0);
  });
});

function wordsAs(uid: number): readonly string[] {
  return ['setpriv', '--reuid', String(uid), '--regid', String(uid), '--clear-groups', '--'];
}
