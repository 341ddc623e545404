import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { watch } from 'node:fs';
import { mkdir, readdir, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { loadHostSettings } from '../../../config/host-settings.ts';
import { PACKAGE_ROOT } from '../../../config/package.ts';
import { createMachines } from '../../../drivers/machines/configured.ts';
import { machineProviderConformance } from '../../../drivers/machines/conformance.ts';
import { detectIsolation } from '../../../runner/isolation/detect.ts';
import { createIsolation } from '../../../runner/isolation/isolation.ts';
import { MARKER } from '../../../runner/isolation/marker.ts';
import type { LocalProvider } from '../../../drivers/machines/local/provider.ts';
import { countRunning, uniqueSleep, untilRunning } from '../../runner/isolation/held-machine.ts';
import { localMachines } from './local-machines.ts';
import type { LocalMachines } from './local-machines.ts';
import { creation } from '../../fixtures/creation.ts';
import { eventually } from '../../fixtures/waiting.ts';

jest.setTimeout(60_000);

const { kind } = await detectIsolation('auto');

for (const isolation of new Set([kind, 'tracking'] as const)) {
  // One variant moves the large file, and one uses a separate runner process for each machine.
  const options =
    isolation === kind ? {} : { transferBytes: 8_000_000, runner: join(import.meta.dirname, 'stand-in-runner.cjs') };
  machineProviderConformance(`local (${isolation})`, () => localMachines({ isolation }), options);
}

describe('local machines', () => {
  let local: LocalMachines;
  let machines: string;
  let provider: LocalProvider;
  beforeEach(async () => {
    local = await localMachines({ claude: '/bin/sh' });
    ({ provider } = local);
    ({ machines } = local.home);
  });
  afterEach(async () => local[Symbol.asyncDispose]());

  const create = (name: string) => provider.create({ name, labels: {} }, creation());
  /** `.users` is looked at where it matters; the sockets in `.lock` stay for later machines. */
  const machinesLeft = async () => (await readdir(machines)).filter((name) => !['.users', '.lock'].includes(name));

  it('report the isolation in force', async () => {
    const { description } = await detectIsolation('auto');
    await create('murmur-101');
    const { isolation } = createIsolation(await provider.isolationOf('murmur-101'));
    expect(isolation).toBe(description);
  });

  it('have their own user each for a root caller, and belong to the caller otherwise', async () => {
    await create('murmur-101');
    await create('murmur-102');
    const [one, two] = await Promise.all(
      ['murmur-101', 'murmur-102'].map(async (name) => (await stat(join(machines, name, 'work'))).uid),
    );
    if (process.getuid?.() === 0 && kind === 'namespace') expect(new Set([0, one, two]).size).toBe(3);
    else expect([one, two]).toEqual([process.getuid?.(), process.getuid?.()]);
  });

  it('have their programs first on the PATH', async () => {
    await create('murmur-101');
    const machine = await provider.connect('murmur-101');
    const { stdout } = await machine.exec('claude', ['-c', 'echo from the program'], { timeoutMs: 20_000 });
    expect(stdout).toBe('from the program\n');
  });

  it("have murmur on their PATH, run by this process's Node, even with another one on the PATH", async () => {
    await create('murmur-101');
    const { exec, paths } = await provider.connect('murmur-101');
    const { version } = JSON.parse(await readFile(join(PACKAGE_ROOT, 'package.json'), 'utf8')) as { version: string };
    const { stdout } = await exec('murmur', ['version', '--client'], { cwd: paths.work, timeoutMs: 20_000 });
    expect(stdout).toContain(version);
    await writeFile(join(machines, 'murmur-101', 'bin', 'murmur'), 'changed');
    await create('murmur-101');
    const script = await readFile(join(machines, 'murmur-101', 'bin', 'murmur'), 'utf8');
    expect(script).toContain(`'${process.execPath}'`);
  });

  it.each(['stop', 'destroy'] as const)('end the runner and all processes of the agent on %s', async (end) => {
    await create('murmur-101');
    const machine = await provider.connect('murmur-101');
    const { spawn } = createIsolation(await provider.isolationOf('murmur-101'));
    const [program, escaped, runner] = [uniqueSleep(), uniqueSleep(), uniqueSleep()];
    spawn('sh', ['-c', `(setsid env -i ${escaped} &); exec ${program}`], { cwd: machine.paths.work, env: {} });
    const script = join(machine.paths.runner, 'runner.sh');
    // Like the runner's own commands: started by the caller, with the mark of the machine.
    await machine.put(script, `${MARKER}=murmur-101 ${runner} & wait`);
    await machine.launch('sh', [script, machine.paths.runner], { log: join(machine.paths.runner, 'log') });
    for (const each of [program, escaped, runner]) await untilRunning(each, 1);
    await provider[end]('murmur-101');
    expect(await countRunning(program)).toBe(0);
    expect(await countRunning(escaped)).toBe(0);
    expect(await countRunning(`sh ${script} ${machine.paths.runner}`)).toBe(0);
    await untilRunning(runner, 0);
  });

  it('wait for a runner that reported a clean stop, and spare another process with its process id', async () => {
    await create('murmur-101');
    const machine = await provider.connect('murmur-101');
    const script = join(machine.paths.runner, 'runner.sh');
    const own = uniqueSleep();
    await machine.put(script, `${own} & wait`);
    const runner = spawn('sh', [script, machine.paths.runner]);
    const stranger = spawn('sleep', ['300']);
    try {
      await untilRunning(own, 1);
      await writeFile(join(machine.paths.runner, 'ended.json'), JSON.stringify({ pid: stranger.pid }));
      await provider.stop('murmur-101');
      expect([stranger.exitCode, stranger.signalCode]).toEqual([null, null]);
      await writeFile(join(machine.paths.runner, 'ended.json'), JSON.stringify({ pid: runner.pid }));
      const gone = once(runner, 'exit');
      await provider.stop('murmur-101');
      expect(await gone).toEqual([null, 'SIGKILL']);
    } finally {
      stranger.kill('SIGKILL');
      // The connection ended with the machine.
      spawnSync('pkill', ['-KILL', '-f', own]);
    }
  });

  it('get other labels from one of two processes that have read the same version', async () => {
    const { home } = local;
    const settings = await loadHostSettings(home, machines);
    const config = { home, isolation: 'auto', claude: undefined, host: settings } as const;
    const { local: other } = await createMachines(config, process.env);
    await using _closed = other;
    let { version } = await create('murmur-101');
    for (let round = 0; round < 20; round += 1) {
      const label = (by: LocalProvider, claim: string) => by.label('murmur-101', { claim }, { if: version });
      const outcomes = await Promise.allSettled([label(provider, `a${round}`), label(other, `b${round}`)]);
      const won = outcomes.filter((each) => each.status === 'fulfilled').map(({ value }) => value);
      expect(won).toHaveLength(1);
      expect(await other.describe('murmur-101')).toEqual(won[0]);
      version = won[0]?.version ?? '';
    }
  });

  it('leave nothing behind when they are destroyed', async () => {
    await create('murmur-101');
    await provider.destroy('murmur-101');
    expect(await machinesLeft()).toEqual([]);
    expect(await readdir(join(machines, '.users')).catch(() => [])).toEqual([]);
  });

  it('keep their user when an interrupted creation is repeated', async () => {
    await create('murmur-101');
    const { uid } = await stat(join(machines, 'murmur-101', 'work'));
    await rm(join(machines, 'murmur-101', 'machine.json'));
    await create('murmur-101');
    expect((await stat(join(machines, 'murmur-101', 'work'))).uid).toBe(uid);
  });

  it('are removed by destroy also after an interrupted creation', async () => {
    await create('murmur-101');
    await rm(join(machines, 'murmur-101', 'machine.json'));
    await provider.destroy('murmur-101');
    expect(await machinesLeft()).toEqual([]);
    expect(await readdir(join(machines, '.users')).catch(() => [])).toEqual([]);
  });

  it('are listed as being made when their creation was cut off, and completed by the next one', async () => {
    await mkdir(join(machines, 'murmur-101'), { recursive: true });
    // Where a folder of the machine has to be.
    await writeFile(join(machines, 'murmur-101', 'work'), '');
    const labels = { agent: 'w/a/u/b/c' };
    await expect(provider.create({ name: 'murmur-101', labels }, creation())).rejects.toThrow();
    const [left] = (await provider.list(labels)).machines;
    expect(left).toMatchObject({ name: 'murmur-101', state: 'provisioning', labels });
    await provider.stop('murmur-101');
    for (const act of [() => provider.connect('murmur-101'), () => provider.start('murmur-101')]) {
      await expect(act()).rejects.toMatchObject({ code: 'UNAVAILABLE' });
    }
    await rm(join(machines, 'murmur-101', 'work'));
    expect(await create('murmur-101')).toMatchObject({ state: 'running', labels, generation: left?.generation });
  });

  it('are listed until the last of their files is gone', async () => {
    await create('murmur-101');
    const removed: (string | null)[] = [];
    const watcher = watch(join(machines, 'murmur-101'), (_event, file) => removed.push(file));
    await provider.destroy('murmur-101');
    await eventually(() => removed.includes('machine.json'), 'the end of the record');
    watcher.close();
    const own = ['home', 'work', 'run', 'bin', 'runner', 'machine.json'];
    expect(removed.filter((file) => own.includes(file ?? '')).at(-1)).toBe('machine.json');
  });

  it('are listed beside folders that are none', async () => {
    await create('murmur-101');
    await mkdir(join(machines, 'lost+found'));
    await mkdir(join(machines, 'murmur-102'));
    expect((await provider.list()).machines.map(({ name }) => name)).toEqual(['murmur-101']);
  });

  it.each(['', '..', '../x', 'a/b', 'A'])('reject the name %j', async (name) => {
    await expect(create(name)).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
    await expect(provider.destroy(name)).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
  });

  it('are destroyed without following links', async () => {
    const outside = join(local.home.root, 'outside');
    await mkdir(outside);
    await writeFile(join(outside, 'kept'), '');
    await create('murmur-101');
    await symlink(outside, join(machines, 'murmur-101', 'work', 'link'));
    await provider.destroy('murmur-101');
    expect(await readdir(outside)).toEqual(['kept']);
  });
});
