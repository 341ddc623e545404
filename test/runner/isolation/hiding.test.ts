import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { once } from 'node:events';
import { chmod, mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { HeldMachine } from './held-machine.ts';
import { AGENT, asRoot, asUser } from './variants.ts';

jest.setTimeout(60_000);

for (const { name, isPossible, options } of [asRoot, asUser]) {
  (isPossible ? describe : describe.skip)(`what an agent sees: ${name}`, () => {
    let machine: HeldMachine;
    beforeAll(async () => {
      machine = await HeldMachine.create(options);
    });
    afterAll(async () => {
      await machine.remove();
    });

    it('includes only the folders of its machine in MURMUR_HOME', async () => {
      const { stdout } = await machine.run(`find '${machine.home}' -mindepth 1 -maxdepth 3 | sort`);
      const { home, run, work } = machine.paths;
      expect(stdout.trim().split('\n')).toEqual(
        [join(machine.home, 'machines'), join(machine.home, 'machines', 'murmur-1'), home, run, work].sort(),
      );
    });

    it.each(['token', 'machines/murmur-2/work/note', 'machines/murmur-1/isolation'])('excludes %s', async (path) => {
      const end = await machine.run(`ls -d '${join(machine.home, path)}'`);
      expect(end).toMatchObject({ stdout: '', stderr: expect.stringContaining('No such file') });
    });

    it.each([
      ['..', '../../../token'],
      ['another process', '/proc/1/root/HOME/token'],
      ['its own root', '/proc/self/root/HOME/token'],
      ['the directory of its first process', '/proc/1/cwd/HOME/token'],
    ])('excludes the token through %s', async (_, path) => {
      const end = await machine.run(`cat "${path.replace('/HOME', machine.home)}"; cat /proc/*/environ >/dev/null`);
      expect(end.stdout).toBe('');
    });

    it('stays the same when it unmounts folders or tries its own namespaces', async () => {
      const token = join(machine.home, 'token');
      const end = await machine.run(
        `umount '${machine.home}'; cat '${token}'; unshare -Urm sh -c "umount -l '${machine.home}' /tmp; cat '${token}'"`,
      );
      expect(end.stdout).toBe('');
    });

    it.each(['--user', '--user --map-root-user', '--mount', '--net', '--pid --fork'])(
      'includes no way to create namespaces: %s',
      async (kind) => {
        const end = await machine.run(`unshare ${kind} true`);
        expect(end).toMatchObject({ code: 1, stderr: expect.stringContaining('Operation not permitted') });
      },
    );

    it('includes `run`, read-only: it can read a file and connect to a socket there', async () => {
      const { run } = machine.paths;
      await writeFile(join(run, 'note'), 'for the agent', { mode: 0o644 });
      const server = createServer((socket) => socket.end('answered'));
      server.listen(join(run, 'socket'));
      await once(server, 'listening');
      await chmod(join(run, 'socket'), 0o666);
      try {
        const connect = `require('node:net').connect('${run}/socket').pipe(process.stdout)`;
        const used = await machine.run(`cat '${run}/note'; '${process.execPath}' -e "${connect}"`);
        expect(used).toMatchObject({ stdout: 'for the agentanswered', stderr: '' });
        await machine.run(
          `cd '${run}'; mv note other; rm -f note; echo x >>note; touch new; mkdir folder; chmod 777 .; mv '${run}' ~/away`,
        );
        expect((await readdir(run)).toSorted()).toEqual(['note', 'socket']);
        expect(await readFile(join(run, 'note'), 'utf8')).toBe('for the agent');
      } finally {
        server.close();
      }
    });

    it('excludes a hidden directory behind a link in its own folder', async () => {
      await symlink(join(machine.home, 'machines', 'murmur-2', 'work'), join(machine.paths.work, 'link'));
      const end = await machine.run('pwd; ls', { cwd: join(machine.paths.work, 'link') });
      expect(end).toMatchObject({ code: 126, stdout: '' });
    });

    it('excludes the processes of the host', async () => {
      const { stdout } = await machine.run('cd /proc && ls -d [0-9]*');
      expect(stdout.trim().split('\n').length).toBeLessThan(6);
      expect((await machine.run(`kill -0 ${process.pid}`)).code).not.toBe(0);
    });

    it('includes its files under the same paths as outside, with the same content', async () => {
      await writeFile(join(machine.paths.work, 'from-outside'), 'outside');
      await chmod(join(machine.paths.work, 'from-outside'), 0o666);
      expect(await machine.run(`cat '${machine.paths.work}/from-outside'`)).toMatchObject({ stdout: 'outside' });
    });

    it('has one root, also through ".." and links that lead through it', async () => {
      const { stdout } = await machine.run(
        'cd /usr/lib && ls -A / && echo + && ls -A ../.. && echo + && ls -A /etc/..',
      );
      const [root = '', ...others] = stdout.split('+\n');
      expect(root).toContain('etc');
      expect(others).toEqual([root, root]);
      const up = machine.home.replaceAll(/[^/]+/g, '..').slice(1);
      const hidden = await machine.run(
        `cd '${machine.home}' && ls '${up}/.${machine.home}' && cat '${up}/.${machine.home}/token'`,
      );
      expect(hidden).toMatchObject({ stdout: 'machines\n', code: 1 });
    });

    it("includes a /tmp without the host's files", async () => {
      const { stdout } = await machine.run('ls -A /tmp | grep -v murmur-held; echo; stat -c %a /tmp');
      expect(stdout.trim()).toBe('1777');
    });

    it('comes with no capability and no way to get one', async () => {
      const { stdout } = await machine.run("grep -E '^(Cap|NoNewPrivs)' /proc/self/status");
      const values = new Map(
        stdout
          .trim()
          .split('\n')
          .map((line) => line.split(/:\s+/) as [string, string]),
      );
      expect(values.get('NoNewPrivs')).toBe('1');
      for (const set of ['CapInh', 'CapPrm', 'CapEff', 'CapBnd', 'CapAmb']) {
        expect(values.get(set)).toBe('0000000000000000');
      }
    });

    it('includes no zombies: orphaned processes are reaped', async () => {
      const orphans = 'i=0; while [ $i -lt 20 ]; do sh -c "true & true"; i=$((i+1)); done';
      const zombies = 'cat /proc/[0-9]*/stat 2>/dev/null | grep -c ") Z "';
      const { stdout } = await machine.run(
        `${orphans}; n=0; while z=$(${zombies}); [ "$z" != 0 ] && [ $n -lt 500 ]; do sleep 0.01; n=$((n+1)); done; echo $z`,
      );
      expect(stdout.trim()).toBe('0');
    });
  });
}

(asRoot.isPossible ? describe : describe.skip)('an agent of root', () => {
  let machine: HeldMachine;
  let closed: string;
  beforeAll(async () => {
    // Not in /tmp, because the agent has its own.
    closed = await mkdtemp('/var/tmp/murmur-closed-');
    await chmod(closed, 0o700);
    await mkdir(join(closed, 'kept'), { mode: 0o755 });
    await writeFile(join(closed, 'kept', 'program'), '#!/bin/sh\necho ran\n', { mode: 0o755 });
    await writeFile(join(closed, 'file'), 'kept file', { mode: 0o644 });
    await writeFile(join(closed, 'private'), 'private', { mode: 0o644 });
    machine = await HeldMachine.create({
      ...asRoot.options,
      parent: closed,
      keep: [join(closed, 'kept'), join(closed, 'file'), join(closed, 'absent')],
    });
  });
  afterAll(async () => {
    await machine.remove();
    await rm(closed, { recursive: true });
  });

  it('has its own user and group, which programs can look up', async () => {
    const { stdout } = await machine.run('id -u; id -g; id -G; id -un; id -gn; getent passwd "$(id -u)" | cut -d: -f6');
    expect(stdout.trim().split('\n')).toEqual([
      ...[AGENT, AGENT, AGENT].map(String),
      'murmur',
      'murmur',
      machine.paths.home,
    ]);
  });

  it('reaches its folders and shown paths through a folder that it may not enter, but nothing else there', async () => {
    const end = await machine.run(
      `'${closed}/kept/program'; cat '${closed}/file'; ls '${closed}' | grep -v murmur-held`,
    );
    expect(end.stdout).toBe('ran\nkept filefile\nkept\n');
  });

  it('has a /tmp on disk that its programs share and other agents do not see', async () => {
    await machine.run('echo mine > /tmp/note');
    expect(await machine.run('cat /tmp/note')).toMatchObject({ stdout: 'mine\n' });
    const other = await HeldMachine.create({ ...asRoot.options, agentUid: AGENT + 1, parent: '/opt' });
    try {
      expect(await other.run('ls -A /tmp /var/tmp')).toMatchObject({ code: 0, stdout: '/tmp:\n\n/var/tmp:\n' });
    } finally {
      await other.remove();
    }
  });

  it('can create files in its own folders and nowhere else on the host', async () => {
    const { home, work } = machine.paths;
    const { stdout } = await machine.run('find / -path /proc -prune -o -type d -writable -print -prune 2>/dev/null');
    expect(stdout.trim().split('\n').sort()).toEqual([home, work, '/dev/shm', '/tmp'].sort());
    const others = await machine.run('for each in /run/lock /var/crash /dev/mqueue /dev; do touch "$each/note"; done');
    expect(others.stderr.trim().split('\n')).toHaveLength(4);
    expect(await machine.run('touch /dev/shm/note && echo x >/dev/null && ls -A /dev/shm')).toMatchObject({
      stdout: 'note\n',
      stderr: '',
    });
  });

  it('cannot write to the parents of its folders', async () => {
    const end = await machine.run(
      `touch '${closed}/x' '${machine.home}/x' '${machine.home}/machines/x' 2>&1 | grep -c denied`,
    );
    expect(end.stdout.trim()).toBe('3');
  });
});
