// Machines on a host that is reached by ssh, while links die and processes are killed.
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { once } from 'node:events';
import { readFile, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import type { AddressInfo, Server } from 'node:net';
import { join } from 'node:path';
import { userCacheFolder } from '../../../../config/home.ts';
import type { Machine, MachineProvider } from '../../../../drivers/machines/provider.ts';
import { createRunnerClient } from '../../../../drivers/machines/runner-client.ts';
import { startSshHost, sshHostProblem } from '../../../fixtures/ssh-machines/ssh-host.ts';
import type { SshHost } from '../../../fixtures/ssh-machines/ssh-host.ts';
import { runnerBundle } from '../../../../worker/runner-bundle.ts';
import { sshMachines } from './ssh-machines.ts';
import type { SshMachines } from './ssh-machines.ts';

jest.setTimeout(90_000);

const LIMIT_MS = 20_000;
const missing = sshHostProblem();
if (missing !== undefined) console.warn(`no host is reached by ssh in these tests: ${missing}`);

(missing === undefined ? describe : describe.skip)('machines on a host that is reached by ssh', () => {
  let host: SshHost;
  let bundle: string;
  let under: SshMachines;
  let provider: MachineProvider;
  const servers: Server[] = [];
  beforeAll(async () => {
    [host, bundle] = await Promise.all([startSshHost(), runnerBundle(userCacheFolder(process.env))]);
  });
  beforeEach(() => {
    under = sshMachines([host], 'builder');
    ({ provider } = under);
  });
  afterEach(async () => {
    for (const server of servers.splice(0)) server.close();
    await under[Symbol.asyncDispose]();
  });
  afterAll(async () => {
    await host[Symbol.asyncDispose]();
  });

  const create = (name: string) =>
    provider.create({ name, labels: {} }, { signal: AbortSignal.timeout(LIMIT_MS), requestId: name });
  const connected = async (name: string): Promise<Machine> => {
    await create(name);
    return provider.connect(name);
  };
  const output = async (machine: Machine, script: string): Promise<string> =>
    (await machine.exec('bash', ['-c', script], { timeoutMs: LIMIT_MS })).stdout;
  async function serverHere(): Promise<{ host: string; port: number }> {
    const server = createServer((socket) => socket.end('from our side')).listen(0, '127.0.0.1');
    servers.push(server);
    await once(server, 'listening');
    return { host: '127.0.0.1', port: (server.address() as AddressInfo).port };
  }

  it('use a Node that is new enough, although the one on PATH is not', async () => {
    const machine = await connected('murmur-501');
    expect(await output(machine, 'node --version')).toMatch(/^v20\./);
    expect(await machine.facts()).toMatchObject({
      node: '/opt/node/bin/node',
      home: '/home/builder',
      user: { uid: 1500, name: 'builder' },
      programs: { claude: '/home/builder/.murmur/machines/murmur-501/bin/claude' },
    });
  });

  it('have a murmur of this build, run by a Node of the host', async () => {
    const machine = await connected('murmur-501');
    const { version } = JSON.parse(await readFile(join(import.meta.dirname, '../../../../package.json'), 'utf8')) as {
      version: string;
    };
    expect(await output(machine, 'murmur version --client')).toContain(version);
  });

  it('are reachable again after the link died without notice, and every call ends with an error', async () => {
    const machine = await connected('murmur-501');
    const ours = await serverHere();
    const before = await machine.expose(ours);
    await host.freezeLinks();
    const began = performance.now();
    await expect(output(machine, 'sleep 30')).rejects.toMatchObject({ code: 'UNAVAILABLE' });
    expect(performance.now() - began).toBeLessThan(5_000);
    expect(machine.lost.aborted).toBe(true);
    const again = await provider.connect('murmur-501');
    expect(again.lost.aborted).toBe(false);
    // The old link's server process held the port. It was ended, and agents find our server on the same port again.
    expect(await output(again, `exec 3<>/dev/tcp/127.0.0.1/${String(before.port)}; cat <&3`)).toBe('from our side');
    expect(await again.expose(ours)).toEqual(before);
  });

  it('keep the same runner when the connection breaks', async () => {
    const machine = await connected('murmur-501');
    const access = await machine.ensureRunner(bundle, { use: 'begin' });
    const health = await createRunnerClient(machine, access).health();
    expect(health).toMatchObject({ machine: 'murmur-501' });
    await expect(output(machine, 'kill -KILL $PPID; sleep 30')).rejects.toMatchObject({ code: 'UNAVAILABLE' });
    const again = await provider.connect('murmur-501');
    const same = await again.ensureRunner(bundle, { use: 'reach' });
    expect(same).toEqual(access);
    expect(await createRunnerClient(again, same).health()).toEqual(health);
    expect(await again.recordedRunner()).toEqual(access);
  });

  it('get another runner when theirs was killed', async () => {
    const machine = await connected('murmur-501');
    const access = await machine.ensureRunner(bundle, { use: 'begin' });
    const { pid } = await createRunnerClient(machine, access).health();
    await output(machine, `kill -KILL ${String(pid)}`);
    const next = await machine.ensureRunner(bundle, { use: 'begin' });
    expect((await createRunnerClient(machine, next).health()).pid).not.toBe(pid);
  });

  it('end with all their processes', async () => {
    const machine = await connected('murmur-507');
    const access = await machine.ensureRunner(bundle, { use: 'begin' });
    const { pid } = await createRunnerClient(machine, access).health();
    await provider.destroy('murmur-507');
    expect(machine.lost.aborted).toBe(true);
    const other = await connected('murmur-502');
    expect(await output(other, "grep -ls 'machines/murmur-50[7]/' /proc/[0-9]*/environ || echo none")).toBe('none\n');
    expect(await output(other, 'ls ~/.murmur/machines')).toBe('murmur-502\n');
    // The process that has served its runner serves the next one.
    const next = await other.ensureRunner(bundle, { use: 'begin' });
    expect((await createRunnerClient(other, next).health()).pid).toBe(pid);
  });

  it('hide the files of the login from the agent, so that it cannot change what the next command reads', async () => {
    await writeFile(join(host.homeOf('builder'), '.bashrc'), '');
    const machine = await connected('murmur-501');
    const access = await machine.ensureRunner(bundle, { use: 'begin' });
    const open = {
      repos: [],
      session_id: '7f2a3c1e-6f0f-4d0e-9d3a-1f0b8f1f2a11',
      backend: 'fake',
      env: {},
      secret_names: [],
    } as const;
    const client = createRunnerClient(machine, access);
    await client.open(open);
    for (const path of ['/home/builder/.bashrc', '/home/builder/.murmur/machines/murmur-501/runner/config.json']) {
      const reading = (async () => {
        for await (const _ of client.file({ path }, AbortSignal.timeout(LIMIT_MS))) return 'read';
        return 'empty';
      })();
      await expect(reading).rejects.toMatchObject({ code: 'NOT_FOUND' });
    }
  });

  it('report their host, and are created on another one when the first cannot be reached', async () => {
    const dead = { ...host, target: () => ({ ...host.target('builder'), host: 'dead', transport: nowhere(host) }) };
    const two = sshMachines([dead, host], 'builder');
    const options = { signal: AbortSignal.timeout(LIMIT_MS), requestId: 'x' };
    for (const name of ['murmur-501', 'murmur-502', 'murmur-503']) {
      expect(await two.provider.create({ name, labels: {} }, options)).toMatchObject({ zone: 'host-1' });
    }
    // The unreachable host may have the machine.
    await expect(two.provider.describe('murmur-504')).rejects.toMatchObject({ code: 'UNAVAILABLE' });
    // What can be listed is listed, and a host that cannot be asked is named.
    const { machines, unreachable } = await two.provider.list();
    expect(machines.map(({ name }) => name).toSorted()).toEqual(['murmur-501', 'murmur-502', 'murmur-503']);
    expect(unreachable).toMatchObject([{ host: 'dead', reason: { code: 'UNAVAILABLE' } }]);
    for (const name of ['murmur-501', 'murmur-502', 'murmur-503']) await two.provider.destroy(name);
    expect(await provider.list()).toEqual({ machines: [], unreachable: [] });
    await two.provider[Symbol.asyncDispose]();
  });
});

function nowhere(host: SshHost) {
  return { description: 'nowhere', dial: () => host.dial(1) };
}
