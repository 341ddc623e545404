// Runners of several machines in one process, with the real runner.
import { appendFile, copyFile, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { userCacheFolder } from '../../../config/home.ts';
import type { RunnerHostAccess } from '../../../contract/wire/runner.ts';
import { detectIsolation } from '../../../runner/isolation/detect.ts';
import { commandLineOf } from '../../../runner/isolation/process-table.ts';
import { dropRunner } from '../../../drivers/machines/local/runner-host-end.ts';
import type { MachineProvider } from '../../../drivers/machines/provider.ts';
import type { RunnerClient } from '../../../drivers/machines/runner-client.ts';
import { ensureRunner, findRunner } from '../../../drivers/machines/runner-process.ts';
import type { RunnerPrograms } from '../../../drivers/machines/runner-process.ts';
import { stopRunners } from '../../../stack/runners.ts';
import { runnerBundle } from '../../../worker/runner-bundle.ts';
import { eventually } from '../../fixtures/waiting.ts';
import { impostor } from './impostor.ts';
import { openRequest, script } from '../../runner/fixture.ts';
import { localMachines } from './local-machines.ts';
import type { LocalMachines } from './local-machines.ts';
import { creation } from '../../fixtures/creation.ts';

jest.setTimeout(60_000);

const { kind } = await detectIsolation('auto');
const isShared = kind === 'namespace';

(isShared ? describe : describe.skip)(`runners that share a process${isShared ? '' : ' (needs namespaces)'}`, () => {
  let local: LocalMachines;
  let provider: MachineProvider;
  beforeEach(async () => {
    local = await localMachines();
    ({ provider } = local);
  });
  afterEach(async () => local[Symbol.asyncDispose]());

  const runnerOf = (name: string) => join(local.home.machines, name, 'runner');
  const hostOf = async (name: string): Promise<RunnerHostAccess> =>
    JSON.parse(await readFile(join(runnerOf(name), 'host.json'), 'utf8')) as RunnerHostAccess;
  const bundle = async () => ({ bundle: await runnerBundle(userCacheFolder(process.env)) });
  const isGone = (pid: number) => commandLineOf(pid)?.includes('--host') !== true;

  async function start(name: string, programs?: RunnerPrograms): Promise<RunnerClient> {
    await provider.create({ name, labels: {} }, creation());
    return ensureRunner(await provider.connect(name), programs ?? (await bundle()), 'begin');
  }

  async function pidOf(client: RunnerClient): Promise<number> {
    return (await client.health()).pid;
  }

  it('answer for their own machine only, each with its own token', async () => {
    const [one, two] = await Promise.all([start('murmur-201'), start('murmur-202')]);
    expect(await one.health()).toMatchObject({ machine: 'murmur-201' });
    expect(await two.health()).toMatchObject({ machine: 'murmur-202', pid: await pidOf(one) });
    const [token, other] = await Promise.all(
      ['murmur-201', 'murmur-202'].map(
        async (name) =>
          (JSON.parse(await readFile(join(runnerOf(name), 'address.json'), 'utf8')) as { token: string }).token,
      ),
    );
    const { port } = JSON.parse(await readFile(join(runnerOf('murmur-201'), 'address.json'), 'utf8')) as {
      port: number;
    };
    const snapshot = (bearer: string | undefined) =>
      fetch(`http://127.0.0.1:${String(port)}/snapshot`, {
        method: 'POST',
        headers: { authorization: `Bearer ${String(bearer)}` },
      });
    expect((await snapshot(other)).status).toBe(401);
    expect((await snapshot((await hostOf('murmur-201')).token)).status).toBe(401);
    // Its own token is accepted: the error is about the session, which is not open.
    expect(await (await snapshot(token)).json()).toMatchObject({ error: { code: 'FAILED_PRECONDITION' } });
  });

  it('stay when another machine is destroyed; their process serves the next machine, and exits after the last one', async () => {
    const [one, two] = await Promise.all([start('murmur-201'), start('murmur-202')]);
    const pid = await pidOf(two);
    await one.stop({ status: 'cut_off' });
    await provider.destroy('murmur-201');
    expect(await pidOf(two)).toBe(pid);
    await expect(one.health()).rejects.toMatchObject({ code: 'UNAVAILABLE' });
    // Without a stop request, as after a lost call.
    await provider.destroy('murmur-202');
    expect(await pidOf(await start('murmur-203'))).toBe(pid);
    // Nobody asks for more runners.
    await provider[Symbol.asyncDispose]();
    await provider.destroy('murmur-203');
    await eventually(() => isGone(pid), 'the process has ended');
  });

  it('of another build finish their turns independently and then move to a process of this build', async () => {
    const current = await bundle();
    const older = { bundle: join(local.home.root, 'older.cjs') };
    await copyFile(current.bundle, older.bundle);
    await appendFile(older.bundle, '\n// An earlier build.\n');
    const [busy, idle] = await Promise.all(['murmur-201', 'murmur-202'].map((name) => start(name, older)));
    if (busy === undefined || idle === undefined) throw new Error('they have not started');
    const pid = await pidOf(busy);
    await busy.open({ ...openRequest() });
    await busy.turn({ turn_id: 'one', number: 1, prompt: script({ hang: true }), inputs: [] });

    const use = async (name: string, turn: string): Promise<RunnerClient> =>
      ensureRunner(await provider.connect(name), current, { turn });
    const moved = await use('murmur-202', 'first');
    expect(await pidOf(moved)).not.toBe(pid);
    expect(await pidOf(await use('murmur-201', 'one'))).toBe(pid);
    expect(await busy.turn({ turn_id: 'one', number: 1, prompt: 'x', inputs: [] })).toEqual({ state: 'running' });

    await busy.interrupt({ turn_id: 'one' });
    const end = async (): Promise<boolean> =>
      (await busy.turn({ turn_id: 'one', number: 1, prompt: 'x', inputs: [] })).state === 'ended';
    await eventually(end, 'the turn ends');
    expect(await pidOf(await use('murmur-201', 'one'))).toBe(pid);
    const next = await use('murmur-201', 'two');
    expect(await pidOf(next)).toBe(await pidOf(moved));
    // It knows the turns of its predecessor.
    expect(await next.turn({ turn_id: 'one', number: 1, prompt: 'x', inputs: [] })).toMatchObject({
      state: 'ended',
      outcome: { status: 'interrupted' },
    });
    await eventually(() => isGone(pid), 'the process of the earlier build has nothing left to serve');
  });

  it('are restarted in another process when theirs is killed', async () => {
    const [one] = await Promise.all([start('murmur-201'), start('murmur-202')]);
    const pid = await pidOf(one);
    process.kill(pid, 'SIGKILL');
    await eventually(() => isGone(pid), 'the process is gone');
    expect(await findRunner(await provider.connect('murmur-201'))).toBeUndefined();
    const [again, other] = await Promise.all([start('murmur-201'), start('murmur-202')]);
    expect(await pidOf(again)).not.toBe(pid);
    expect(await pidOf(other)).toBe(await pidOf(again));
  });

  it('are restarted in another process when another program has taken the port of their killed one', async () => {
    await start('murmur-201');
    const { pid, port } = await hostOf('murmur-201');
    process.kill(pid, 'SIGKILL');
    await eventually(() => isGone(pid), 'the process is gone');
    await using _ = await impostor(port);
    const again = await start('murmur-201');
    expect(await pidOf(again)).not.toBe(pid);
  });

  it('restart in the same process after a stop of the machine, while another machine uses it', async () => {
    const [one] = await Promise.all([start('murmur-201'), start('murmur-202')]);
    const pid = await pidOf(one);
    await provider.stop('murmur-201');
    await provider.start('murmur-201');
    expect(await pidOf(await start('murmur-201'))).toBe(pid);
  });

  it('are at most sixteen in one process', async () => {
    const clients = await Promise.all(Array.from({ length: 18 }, (_, index) => start(`murmur-20${String(index)}`)));
    const pids = await Promise.all(clients.map(pidOf));
    const counts = [...new Set(pids)].map((pid) => pids.filter((each) => each === pid).length);
    expect(counts.sort((a, b) => a - b)).toEqual([2, 16]);
  });

  it('take the places of those that have ended', async () => {
    const pid = await pidOf(await start('murmur-200'));
    for (let index = 1; index <= 18; index += 1) {
      await provider.destroy(`murmur-20${String(index - 1)}`);
      expect(await pidOf(await start(`murmur-20${String(index)}`))).toBe(pid);
    }
  });

  it('end when their machine is destroyed while they start', async () => {
    await start('murmur-201');
    const pid = (await hostOf('murmur-201')).pid;
    await provider.create({ name: 'murmur-202', labels: {} }, creation());
    const starting = ensureRunner(
      await provider.connect('murmur-202'),
      { ...(await bundle()), startLimitMs: 1_000 },
      'begin',
    );
    const outcome = starting.then(
      () => 'started',
      () => 'refused',
    );
    const claimed = () => readFile(join(runnerOf('murmur-202'), 'host.json')).then(Boolean, () => false);
    await eventually(claimed, 'the process is being asked');
    await provider.destroy('murmur-202');
    await outcome;
    await provider.destroy('murmur-201');
    await provider[Symbol.asyncDispose]();
    await eventually(() => isGone(pid), 'the process has nothing left to serve');
  });

  it('that do not answer are killed with their process, and the others are restarted', async () => {
    const [one] = await Promise.all([start('murmur-201'), start('murmur-202')]);
    const pid = await pidOf(one);
    process.kill(pid, 'SIGSTOP');
    await provider.destroy('murmur-201');
    expect(isGone(pid)).toBe(true);
    expect(await pidOf(await start('murmur-202'))).not.toBe(pid);
  });

  it('that do not answer when they are needed are replaced, with their process', async () => {
    const [one] = await Promise.all([start('murmur-201'), start('murmur-202')]);
    const pid = await pidOf(one);
    process.kill(pid, 'SIGSTOP');
    const [again, other] = await Promise.all([start('murmur-201'), start('murmur-202')]);
    expect(isGone(pid)).toBe(true);
    expect(await pidOf(again)).not.toBe(pid);
    expect(await pidOf(other)).toBe(await pidOf(again));
  });

  it('do not affect another process with the process id of theirs', async () => {
    const client = await start('murmur-201');
    const { pid, port } = await hostOf('murmur-201');
    const machine = await provider.connect('murmur-201');
    await machine.put(
      join(runnerOf('murmur-201'), 'host.json'),
      JSON.stringify({ pid, port, token: 'of another', request_id: 'x' }),
    );
    await dropRunner(runnerOf('murmur-201'));
    expect(await pidOf(client)).toBe(pid);
    await machine.put(
      join(runnerOf('murmur-201'), 'host.json'),
      JSON.stringify({ pid: process.pid, port, token: '', request_id: 'x' }),
    );
    await dropRunner(runnerOf('murmur-201'));
    expect(await pidOf(client)).toBe(pid);
  });

  it('end with the stack, as does a process that served none', async () => {
    const client = await start('murmur-201');
    const pid = await pidOf(client);
    // Only its command line identifies it.
    for (const name of ['address.json', 'host.json']) await rm(join(runnerOf('murmur-201'), name));
    await stopRunners(local.home);
    expect(isGone(pid)).toBe(true);
    await expect(client.health()).rejects.toMatchObject({ code: 'UNAVAILABLE' });
  });
});
