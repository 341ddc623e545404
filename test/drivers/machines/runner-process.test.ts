import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { once } from 'node:events';
import { readFile, stat, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { createFakeProvider } from '../../../drivers/machines/fake.ts';
import type { FakeProvider } from '../../../drivers/machines/fake.ts';
import type { Machine } from '../../../drivers/machines/provider.ts';
import type { RunnerClient } from '../../../drivers/machines/runner-client.ts';
import { ensureRunner, findRunner, runnersOf } from '../../../drivers/machines/runner-process.ts';
import { eventually } from '../../fixtures/waiting.ts';
import { impostor } from './impostor.ts';
import { temporaryFolder } from '../temporary-folder.ts';
import { creation } from '../../fixtures/creation.ts';

jest.setTimeout(60_000);

describe('the runner of a machine', () => {
  let folder: Awaited<ReturnType<typeof temporaryFolder>>;
  let provider: FakeProvider;
  let machine: Machine;
  const programs = { bundle: join(import.meta.dirname, 'stand-in-runner.cjs') };

  beforeEach(async () => {
    folder = await temporaryFolder();
    provider = createFakeProvider(folder.path);
    await provider.create({ name: 'murmur-301', labels: {} }, creation());
    machine = await provider.connect('murmur-301');
  });
  afterEach(async () => {
    await provider.destroy('murmur-301');
    await folder[Symbol.asyncDispose]();
  });

  const file = (name: string): string => join(machine.paths.runner, name);
  const starts = async (): Promise<readonly { token: string; isolation: unknown }[]> =>
    (await readFile(file('starts'), 'utf8'))
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as { token: string; isolation: unknown });

  it('is not found before its start, and finding does not start it', async () => {
    expect(await findRunner(machine)).toBeUndefined();
    await expect(stat(file('config.json'))).rejects.toMatchObject({ code: 'ENOENT' });
  });

  it("is started with the machine's settings and its own token, which only the owner can read", async () => {
    const client = await ensureRunner(machine, programs, 'begin');
    expect(await client.health()).toMatchObject({ machine: 'murmur-301' });
    const [start] = await starts();
    expect(start).toEqual({
      token: expect.stringMatching(/^[0-9a-f]{64}$/),
      isolation: expect.objectContaining({ kind: 'tracking', machine: 'murmur-301' }),
    });
    expect((await stat(file('config.json'))).mode & 0o777).toBe(0o600);
  });

  it('is started once for concurrent calls, and found from then on', async () => {
    const clients = await Promise.all([1, 2, 3].map(() => ensureRunner(machine, programs, 'begin')));
    const pids = await Promise.all(clients.map(async (client) => (await client.health()).pid));
    expect(new Set(pids).size).toBe(1);
    expect((await (await findRunner(machine))?.health())?.pid).toBe(pids[0]);
    expect((await (await ensureRunner(machine, programs, 'begin')).health()).pid).toBe(pids[0]);
    expect(await starts()).toHaveLength(1);
  });

  it('is restarted with another token after it was killed', async () => {
    const { pid } = await (await ensureRunner(machine, programs, 'begin')).health();
    process.kill(pid, 'SIGKILL');
    const again = await (await ensureRunner(machine, programs, 'begin')).health();
    expect(again.pid).not.toBe(pid);
    const [first, second] = await starts();
    expect(second?.token).not.toBe(first?.token);
  });

  it('is asked how it is once for each connection, and again after a call to it has failed', async () => {
    const ensure = runnersOf(programs);
    const asked = async (): Promise<number> => (await readFile(file('asked'), 'utf8')).length;
    const { pid } = await (await ensure(machine, 'begin')).health();
    const before = await asked();
    for (const turn of ['one', 'two', 'three']) {
      await using lease = await provider.connect('murmur-301');
      await (await ensure(lease, { turn })).interrupt({ turn_id: turn });
      await (await ensure(lease, 'reach')).interrupt({ turn_id: turn });
    }
    expect(await asked()).toBe(before);

    provider.breakConnection('murmur-301');
    machine = await provider.connect('murmur-301');
    await ensure(machine, 'begin');
    await ensure(machine, { turn: 'four' });
    expect(await asked()).toBe(before + 1);

    process.kill(pid, 'SIGKILL');
    const fails = async (): Promise<boolean> =>
      await (await ensure(machine, { turn: 'five' })).interrupt({ turn_id: 'five' }).then(
        () => false,
        () => true,
      );
    await eventually(fails, 'a call to the killed runner fails');
    expect((await (await ensure(machine, { turn: 'five' })).health()).pid).not.toBe(pid);
    expect(await starts()).toHaveLength(2);
  });

  it('is started again when another program has taken the port of the killed one, and no call fails for good', async () => {
    const ensure = runnersOf(programs);
    const { pid } = await (await ensure(machine, 'begin')).health();
    const { port } = JSON.parse(await readFile(file('address.json'), 'utf8')) as { port: number };
    process.kill(pid, 'SIGKILL');
    const fails = () =>
      machine.dial(port).then(
        (socket) => void socket.destroy(),
        (error: unknown) => error,
      );
    await eventually(async () => (await fails()) !== undefined, 'the port is free');
    await using _ = await impostor(port);

    // The worker retries a turn after UNAVAILABLE only.
    await expect((await ensure(machine, 'reach')).interrupt({ turn_id: 'one' })).rejects.toMatchObject({
      code: 'UNAVAILABLE',
    });
    expect((await (await ensure(machine, 'reach')).health()).pid).not.toBe(pid);
  });

  it('is not taken for that of another machine whose port it has', async () => {
    await provider.create({ name: 'murmur-302', labels: {} }, creation());
    try {
      const other = await provider.connect('murmur-302');
      await ensureRunner(other, programs, 'begin');
      await machine.put(file('address.json'), await other.get(join(other.paths.runner, 'address.json')));
      expect(await findRunner(machine)).toBeUndefined();
    } finally {
      await provider.destroy('murmur-302');
    }
  });

  it('that does not start causes UNAVAILABLE with the end of its log', async () => {
    const bundle = join(folder.path, 'fails.cjs');
    await writeFile(bundle, "throw new Error('it breaks at its start');");
    await expect(ensureRunner(machine, { bundle, startLimitMs: 5_000 }, 'begin')).rejects.toMatchObject({
      code: 'UNAVAILABLE',
      message: expect.stringContaining('it breaks at its start'),
    });
  });

  it('is not mistaken for another server on the port of an ended runner', async () => {
    const server = createServer((_, response) => response.writeHead(404).end('<html>')).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    await machine.put(file('config.json'), JSON.stringify({ machine: 'murmur-301', token: 'x', isolation: {} }));
    await machine.put(file('address.json'), JSON.stringify({ port, pid: 1, started: '' }));
    expect(await findRunner(machine)).toBeUndefined();
    server.closeAllConnections();
    server.close();
  });

  it('is started despite incomplete files', async () => {
    await machine.put(file('config.json'), '{}');
    await writeFile(file('address.json'), '{"port":');
    await expect(ensureRunner(machine, programs, 'begin')).resolves.toBeDefined();
  });

  describe('of another build', () => {
    let older: { readonly bundle: string };
    beforeEach(async () => {
      older = { bundle: join(folder.path, 'older.cjs') };
      // Like build b35f5f2: it reports no build, has no proof, and uses the token of the configuration.
      const text = await readFile(programs.bundle, 'utf8');
      const early = text
        .replace('pid: process.pid, build }', 'pid: process.pid }')
        .replace('{ machine, isolation }', '{ machine, token, isolation }')
        .replace(/^const token = .*$/m, '')
        .replace('.toISOString(), token }', '.toISOString() }')
        .replace('/proof?nonce=', 'nothing');
      await writeFile(older.bundle, early);
      await machine.put(file('config.json'), JSON.stringify({ machine: 'murmur-301', token: 'early', isolation: {} }));
    });

    const pidOf = async (runner: Promise<RunnerClient>): Promise<number> => (await (await runner).health()).pid;
    const journal = (...events: readonly object[]): Promise<void> => {
      const lines = events.map((event, index) =>
        JSON.stringify({ seq: index + 1, at: '2026-11-29T09:00:00.000Z', event }),
      );
      return machine.put(file('journal.jsonl'), `${lines.join('\n')}\n`);
    };
    const begun = (turn_id: string): object => ({ type: 'turn_start', turn_id, turn: 1, inputs: [] });
    const ended = (turn_id: string): object => ({ type: 'turn_complete', turn_id, turn: 1, status: 'completed' });
    const said = (text: string): object => ({ type: 'assistant_text', text });

    it('is stopped and replaced before anything starts, with a new token', async () => {
      const pid = await pidOf(ensureRunner(machine, older, 'begin'));
      const again = await ensureRunner(machine, programs, { turn: 'one' });
      expect((await again.health()).pid).not.toBe(pid);
      expect(await readFile(file('stops'), 'utf8')).toBe('{"status":"cut_off"}\n');
      const [first, second, ...rest] = await starts();
      expect([first?.token, rest]).toEqual(['early', []]);
      expect(second?.token).toMatch(/^[0-9a-f]{64}$/);
      expect(await pidOf(ensureRunner(machine, programs, 'begin'))).toBe((await again.health()).pid);
    });

    it('finishes its running turn and is replaced before the next one', async () => {
      const pid = await pidOf(ensureRunner(machine, older, 'begin'));
      await journal(begun('one'), ended('one'), begun('two'), said('{"type":"turn_complete"}'));
      expect(await pidOf(ensureRunner(machine, programs, { turn: 'two' }))).toBe(pid);
      expect(await pidOf(ensureRunner(machine, programs, { turn: 'three' }))).toBe(pid);
      await journal(begun('one'), ended('one'), begun('two'), ended('two'), said('late'));
      // The runner that has the session is asked for the turn's end.
      expect(await pidOf(ensureRunner(machine, programs, { turn: 'two' }))).toBe(pid);
      expect(await pidOf(ensureRunner(machine, programs, { turn: 'three' }))).not.toBe(pid);
    });

    it('is not mistaken for another program on its port after its end, and nothing is sent to that program', async () => {
      const pid = await pidOf(ensureRunner(machine, older, 'begin'));
      const { port } = JSON.parse(await readFile(file('address.json'), 'utf8')) as { readonly port: number };
      process.kill(pid, 'SIGKILL');
      const heard: unknown[] = [];
      const impostor = createServer((request, response) => {
        heard.push(request.headers);
        response.end(JSON.stringify({ protocol: 1, machine: 'murmur-301', pid }));
      });
      await eventually(async () => {
        impostor.listen(port, '127.0.0.1');
        return await once(impostor, 'listening').then(
          () => true,
          () => false,
        );
      }, 'the port is free');
      expect(await findRunner(machine)).toBeUndefined();
      expect(await pidOf(ensureRunner(machine, programs, 'begin'))).not.toBe(pid);
      expect(heard).toEqual([]);
      impostor.closeAllConnections();
      impostor.close();
    });

    it('is used unchanged by callers that start nothing', async () => {
      const pid = await pidOf(ensureRunner(machine, older, 'begin'));
      expect(await pidOf(ensureRunner(machine, programs, 'reach'))).toBe(pid);
      expect((await (await findRunner(machine))?.health())?.pid).toBe(pid);
    });

    it('is replaced once for concurrent calls', async () => {
      const pid = await pidOf(ensureRunner(machine, older, 'begin'));
      const [reached, ...others] = await Promise.all(
        (['reach', 'begin', { turn: 'one' }, { turn: 'one' }] as const).map((use) =>
          ensureRunner(machine, programs, use),
        ),
      );
      expect(reached).toBeDefined();
      const pids = await Promise.all(others.map(async (runner) => (await runner.health()).pid));
      expect(new Set(pids).size).toBe(1);
      expect(pids).not.toContain(pid);
      expect(await starts()).toHaveLength(2);
    });
  });
});
