import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { detectIsolation } from '../../runner/isolation/detect.ts';
import { diagnose } from '../../stack/doctor.ts';
import type { Check } from '../../stack/doctor/check.ts';
import { identityOf } from '../../stack/process.ts';

let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'murmur-doctor-'));
});
afterEach(async () => {
  await rm(folder, { recursive: true, force: true });
});

async function program(name: string, prints: string): Promise<void> {
  await mkdir(join(folder, 'bin'), { recursive: true });
  await writeFile(join(folder, 'bin', name), `#!/bin/sh\necho '${prints}'\n`);
  await chmod(join(folder, 'bin', name), 0o755);
}

async function examine(env: NodeJS.ProcessEnv = {}): Promise<readonly Check[]> {
  return diagnose({
    cwd: folder,
    env: {
      PATH: join(folder, 'bin'),
      HOME: folder,
      MURMUR_HOME: join(folder, 'home'),
      MURMUR_ISOLATION: 'tracking',
      ...env,
    },
  });
}

function find(checks: readonly Check[], name: string): Check | undefined {
  return checks.find((check) => check.name === name && check.state !== 'ok');
}

function openOf(checks: readonly Check[]): Check | undefined {
  return checks.find(({ message }) => message.startsWith('Temporal is open: '));
}

/** Any free ports: a stack of the developer may use the default ones. */
const FREE = { MURMUR_API_PORT: '0', MURMUR_TEMPORAL_PORT: '0', MURMUR_TEMPORAL_UI_PORT: '0' };

describe('doctor', () => {
  it('finds no problem on a host that has everything', async () => {
    await program('git', 'git version 2.47.1');
    await program('claude', '2.1.328 (Claude Code)');
    await program('temporal', 'temporal version 1.8.2 (Server 1.31.2, UI 2.50.1)');
    const checks = await examine({ ...FREE, ANTHROPIC_API_KEY: 'k' });
    // The environment of these tests configures tracking, where Temporal is open.
    expect(checks.filter((check) => check.state !== 'ok' && check !== openOf(checks))).toEqual([]);
    expect(checks.map(({ name }) => name)).toEqual(
      expect.arrayContaining(['node', 'git', 'claude', 'temporal', 'isolation']),
    );
  });

  it('reports the limits of each agent, and an invalid setting of the host', async () => {
    const home = join(folder, 'home');
    await mkdir(home, { recursive: true });
    const file = join(home, 'murmur.yaml');
    await writeFile(file, 'limits: { processes: 64 }');
    const told = (await examine(FREE)).find(({ name }) => name === 'limits');
    // The environment of these tests configures tracking.
    expect(told?.message).toContain('disk_mb 20480, uploads_mb 1000');
    expect(told?.message).toContain('not in force on this host: processes, memory_mb, shm_mb (');
    await writeFile(file, 'limits: { processes: none }');
    const message = `${file}: limits.processes is "none"`;
    expect(find(await examine(FREE), 'configuration')?.message).toContain(message);
  });

  it('reports what enforces the limits of each agent', async () => {
    const { limitsInForce } = await detectIsolation('auto');
    const told = (await examine({ ...FREE, MURMUR_ISOLATION: 'auto' })).find(({ name }) => name === 'limits')?.message;
    const memory = {
      cgroup: 'memory_mb 4096 (in total, by a cgroup)',
      process: 'memory_mb 4096 (per process)',
    };
    if (limitsInForce === undefined) expect(told).not.toContain('memory_mb 4096');
    else expect(told).toContain(`${memory[limitsInForce.memory]}, shm_mb 256, disk_mb 20480`);
  });

  it('lists every problem at once, each with its fix', async () => {
    const taken = createServer();
    await new Promise<void>((resolve) => taken.listen(0, '127.0.0.1', resolve));
    const { port } = taken.address() as AddressInfo;
    const checks = await examine({ ...FREE, MURMUR_API_PORT: port.toString() });
    taken.close();
    expect(find(checks, 'git')).toMatchObject({ state: 'problem', fix: 'install git' });
    expect(find(checks, 'claude')).toMatchObject({ state: 'problem' });
    expect(find(checks, 'credentials')).toMatchObject({ state: 'problem' });
    expect(find(checks, 'port')?.message).toContain(port.toString());
    expect(find(checks, 'temporal')).toMatchObject({ state: 'warning' });
    for (const check of checks) if (check.state !== 'ok') expect(check.fix).toBeTruthy();
  });

  it('reports an old git, and a claude outside the tested range with the range', async () => {
    await program('git', 'git version 2.25.1');
    await program('claude', '1.0.0 (Claude Code)');
    const checks = await examine(FREE);
    expect(find(checks, 'git')?.message).toBe('git 2.25.1 is too old: agents need 2.32.0 or newer');
    expect(find(checks, 'claude')).toMatchObject({ state: 'warning' });
    expect(find(checks, 'claude')?.message).toContain('2.1.328');
  });

  it('reports a Temporal that does not answer, and one on this host that requires no certificate', async () => {
    const checks = await examine({ ...FREE, TEMPORAL_ADDRESS: '127.0.0.1:9' });
    expect(find(checks, 'temporal')).toMatchObject({ state: 'problem' });
    expect(find(checks, 'temporal')?.message).toContain('127.0.0.1:9 does not answer');
    const open = openOf(checks);
    expect(open).toMatchObject({ state: 'warning', fix: expect.stringContaining('TEMPORAL_TLS_CLIENT_CERT_PATH') });
    expect(open?.message).toContain('127.0.0.1:9 is on this host and asks for no certificate');
  }, 60_000);

  it('reports that Temporal would be open where agents do not run in namespaces', async () => {
    const open = openOf(await examine(FREE));
    expect(open).toMatchObject({ state: 'warning', fix: expect.stringContaining('MURMUR_ISOLATION is unset') });
    expect(open?.message).toContain('MURMUR_ISOLATION=tracking');
  });

  it('reports a home that others can read', async () => {
    await mkdir(join(folder, 'home'));
    await examine(FREE);
    await chmod(join(folder, 'home'), 0o755);
    expect(find(await examine(FREE), 'permissions')?.fix).toBe(`chmod go= ${join(folder, 'home')}`);
  });

  it('continues when the configuration cannot be read', async () => {
    const checks = await examine({ MURMUR_API_PORT: 'many' });
    expect(find(checks, 'configuration')?.message).toContain('MURMUR_API_PORT is "many"');
    expect(checks.map(({ name }) => name)).toContain('node');
  });

  it('names a home that cannot be created', async () => {
    await writeFile(join(folder, 'file'), '');
    const checks = await examine({ ...FREE, MURMUR_HOME: join(folder, 'file', 'home') });
    expect(find(checks, 'configuration')?.message).toContain('cannot be written');
  });
});

it('names the processes that a killed supervisor has left, and how to replace them', async () => {
  await mkdir(join(folder, 'home'), { mode: 0o700 });
  // This process stands for the server and the worker.
  const self = await identityOf(process.pid);
  const record = {
    version: '1',
    state: 'ready',
    supervisor: { pid: process.pid, started: 'another time' },
    message: '',
  };
  const children = { server: self, worker: self };
  await writeFile(join(folder, 'home', 'stack.json'), JSON.stringify({ ...record, children }));
  expect(find(await examine(), 'stack')).toEqual({
    name: 'stack',
    state: 'problem',
    message: `the supervisor (process ${process.pid.toString()}) has ended; server, worker still run`,
    fix: '`murmur up` replaces them; agents continue',
  });
});
