import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { once } from 'node:events';
import { readFile, stat, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { createFakeProvider } from '../../../drivers/machines/fake.ts';
import type { Machine, MachineProvider } from '../../../drivers/machines/provider.ts';
import { ensureRunner, findRunner } from '../../../drivers/machines/runner-process.ts';
import { temporaryFolder } from '../temporary-folder.ts';

jest.setTimeout(60_000);

describe('the runner of a machine', () => {
  let folder: Awaited<ReturnType<typeof temporaryFolder>>;
  let provider: MachineProvider;
  let machine: Machine;
  const programs = { bundle: join(import.meta.dirname, 'stand-in-runner.cjs') };

  beforeEach(async () => {
    folder = await temporaryFolder();
    provider = createFakeProvider(folder.path);
    await provider.create({ name: 'murmur-1', labels: {} });
    machine = await provider.connect('murmur-1');
  });
  afterEach(async () => {
    await provider.destroy('murmur-1');
    await folder[Symbol.asyncDispose]();
  });

  const file = (name: string): string => join(machine.paths.runner, name);
  const starts = async (): Promise<readonly { token: string; isolation: unknown }[]> =>
    (await readFile(file('starts'), 'utf8'))
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as { token: string; isolation: unknown });

  it('is not found before it is started, and finding starts none', async () => {
    expect(await findRunner(machine)).toBeUndefined();
    await expect(stat(file('config.json'))).rejects.toMatchObject({ code: 'ENOENT' });
  });

  it('is started with the settings of the machine and a secret of its own, for the owner only', async () => {
    const client = await ensureRunner(machine, programs);
    expect(await client.health()).toMatchObject({ machine: 'murmur-1' });
    const [start] = await starts();
    expect(start).toEqual({ token: expect.stringMatching(/^[0-9a-f]{64}$/), isolation: machine.isolationSettings });
    expect((await stat(file('config.json'))).mode & 0o777).toBe(0o600);
  });

  it('is started once when several ask at once, and found from then on', async () => {
    const clients = await Promise.all([1, 2, 3].map(() => ensureRunner(machine, programs)));
    const pids = await Promise.all(clients.map(async (client) => (await client.health()).pid));
    expect(new Set(pids).size).toBe(1);
    expect((await (await findRunner(machine))?.health())?.pid).toBe(pids[0]);
    expect((await (await ensureRunner(machine, programs)).health()).pid).toBe(pids[0]);
    expect(await starts()).toHaveLength(1);
  });

  it('is started again, with the same token, after it was killed', async () => {
    const { pid } = await (await ensureRunner(machine, programs)).health();
    process.kill(pid, 'SIGKILL');
    const again = await (await ensureRunner(machine, programs)).health();
    expect(again.pid).not.toBe(pid);
    const [first, second] = await starts();
    expect(second?.token).toBe(first?.token);
  });

  it('is not taken for that of another machine whose port it has', async () => {
    await provider.create({ name: 'murmur-2', labels: {} });
    try {
      const other = await provider.connect('murmur-2');
      await ensureRunner(other, programs);
      for (const name of ['address.json', 'config.json']) {
        await machine.put(file(name), await other.get(join(other.paths.runner, name)));
      }
      expect(await findRunner(machine)).toBeUndefined();
    } finally {
      await provider.destroy('murmur-2');
    }
  });

  it('that does not start is UNAVAILABLE, with the end of its log', async () => {
    const failing: Machine = { ...machine, isolationSettings: { fails: true } };
    await expect(ensureRunner(failing, { ...programs, startLimitMs: 5_000 })).rejects.toMatchObject({
      code: 'UNAVAILABLE',
      message: expect.stringContaining('the stand-in does not start'),
    });
  });

  it('is not taken for another server that has the port of a runner that is gone', async () => {
    const server = createServer((_, response) => response.writeHead(404).end('<html>')).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    await machine.put(file('config.json'), JSON.stringify({ machine: 'murmur-1', token: 'x', isolation: {} }));
    await machine.put(file('address.json'), JSON.stringify({ port, pid: 1, started: '' }));
    expect(await findRunner(machine)).toBeUndefined();
    server.closeAllConnections();
    server.close();
  });

  it('is started in spite of files that were cut off', async () => {
    await machine.put(file('config.json'), '{}');
    await writeFile(file('address.json'), '{"port":');
    await expect(ensureRunner(machine, programs)).resolves.toBeDefined();
  });
});
