import { afterEach, describe, expect, it } from '@jest/globals';
import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import {
  cpSync,
  existsSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';
import { readState } from '../../runner/state-file.ts';
import {
  bash,
  cleanUp,
  eventOf,
  eventsUpTo,
  git,
  isRunning,
  makeFolder,
  makeOrigin,
  openRequest,
  runTurn,
  script,
  until,
} from './fixture.ts';
import { residentBytes, startProcess } from './runner-process.ts';
import type { RunnerProcess } from './runner-process.ts';

afterEach(cleanUp);

/** A command that starts a process without any mark by which it could be found, and then continues. */
const ESCAPE = 'setsid env -i sh -c "cd / && exec sleep 4321" >/dev/null 2>&1 & echo started > started; sleep 4321';

/** Processes of this host with that command line. */
function sleepers(): readonly number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((pid) => {
      try {
        return readFileSync(`/proc/${pid}/cmdline`, 'utf8') === 'sleep\x004321\x00' && isRunning(pid);
      } catch {
        return false;
      }
    });
}

async function startEscape(runner: RunnerProcess): Promise<void> {
  await runner.client.open(openRequest());
  await runner.client.turn({ turn_id: 't1', number: 1, prompt: bash(ESCAPE), inputs: [] });
  await until(() => existsSync(path.join(runner.paths.work, 'started')));
}

function setLargestFile({ child }: RunnerProcess, bytes: number | 'unlimited'): void {
  const words = ['--pid', String(child.pid), `--fsize=${String(bytes)}:`];
  const { status, stderr } = spawnSync('prlimit', words, { encoding: 'utf8' });
  if (status !== 0) throw new Error(`prlimit: ${stderr}`);
}

async function exitOf({ child }: RunnerProcess): Promise<void> {
  if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
}

describe('the bundled runner', () => {
  it("runs turns in the host's isolation with little memory", async () => {
    const folder = makeFolder();
    const origin = await makeOrigin(folder);
    const runner = await startProcess({ folder });
    const { cwd } = await runner.client.open(openRequest({ repos: [{ clone_url: origin, branch: 'work' }] }));
    for (let turn = 0; turn < 20; turn++) {
      const command = `echo ${turn} > file && git add -A && git commit -qm "turn ${turn}" && git push -q origin HEAD`;
      const { outcome } = await runTurn(runner, `t${turn}`, bash(command));
      expect(outcome).toMatchObject({
        status: 'completed',
        files_modified: ['file'],
        commits: [{ subject: `turn ${turn}` }],
        pushes: [{ subject: `turn ${turn}` }],
        branches: [{ branch: 'work', pushed: true, dirty_files: 0 }],
      });
    }
    expect(await git(origin, 'log', '-1', '--format=%s', 'work')).toBe('turn 19');
    expect(existsSync(path.join(cwd, 'file'))).toBe(true);
    // The promise is 80 MB besides the agent program.
    expect(residentBytes(runner.child.pid ?? 0) ?? 0).toBeLessThan(85 * 1024 * 1024);
  }, 120_000);

  // prlimit exists only on Linux.
  (process.platform === 'linux' ? it : it.skip)(
    'ends the turn when the disk is full, keeps running, and reports the end once there is space',
    async () => {
      const runner = await startProcess();
      await runner.client.open(openRequest());
      const steps = [{ tool: 'Bash', input: { command: 'echo > started; while [ ! -e go ]; do sleep 0.02; done' } }];
      await runner.client.turn({ turn_id: 't1', number: 1, prompt: script(...steps, { hang: true }), inputs: [] });
      await until(() => existsSync(path.join(runner.paths.work, 'started')));
      // A limit of the file size simulates a full disk.
      setLargestFile(runner, statSync(runner.paths.journal).size);
      writeFileSync(path.join(runner.paths.work, 'go'), '');
      await until(() => runner.log().includes('could not be written'));
      expect((await runner.client.health()).pid).toBe(runner.child.pid);
      setLargestFile(runner, 'unlimited');
      await eventOf(runner.client, (event) => event.type === 'turn_complete');
      const { outcome } = await runTurn(runner, 't1', bash('true'));
      expect(outcome).toMatchObject({
        status: 'limit',
        error: { kind: 'disk', message: expect.stringMatching(/EFBIG/) },
      });
      expect((await runTurn(runner, 't2', bash('true'))).outcome.status).toBe('completed');
    },
    60_000,
  );
  it('takes over `run` from an agent that owned it in an earlier build, and does not write through links there', async () => {
    const folder = makeFolder();
    const target = path.join(folder, 'target');
    const run = path.join(folder, 'machines', 'murmur-00000001', 'run');
    for (const each of [target, run]) mkdirSync(each, { recursive: true });
    for (const name of ['agent', 'bin', 'git.sock']) symlinkSync(target, path.join(run, name));
    const runner = await startProcess({ folder });
    await runner.client.open(openRequest());
    const { outcome } = await runTurn(runner, 't1', bash('git config --global --list'));
    expect(outcome.status).toBe('completed');
    expect(readdirSync(target)).toEqual([]);
    expect(statSync(run).uid).toBe(process.getuid?.());
    expect(readdirSync(run).toSorted()).toEqual(['agent', 'bin', 'git.sock']);
    expect(readdirSync(path.dirname(run))).not.toContainEqual(expect.stringMatching(/^\.run/));
  }, 60_000);

  it('runs turns where processes can only be tracked', async () => {
    const folder = makeFolder();
    const origin = await makeOrigin(folder);
    const runner = await startProcess({ folder, kind: 'tracking' });
    await runner.client.open(openRequest({ repos: [{ clone_url: origin, branch: 'work' }] }));
    const command = 'echo > file && git add -A && git commit -qm c && git push -q origin HEAD';
    const { outcome } = await runTurn(runner, 't1', bash(command));
    expect(outcome).toMatchObject({ status: 'completed', branches: [{ branch: 'work', pushed: true }] });
    await runner.client.turn({ turn_id: 't2', number: 2, prompt: bash('echo > started; sleep 4000'), inputs: [] });
    await until(() => existsSync(path.join(runner.paths.work, 'project', 'started')));
    await runner.client.stop({ status: 'cut_off' });
    await exitOf(runner);
    expect(runner.child.exitCode).toBe(0);
  }, 60_000);

  it('restores a snapshot inside the isolation', async () => {
    const folder = makeFolder();
    const origin = await makeOrigin(folder);
    const request = openRequest({ repos: [{ clone_url: origin, branch: 'work' }] });
    const first = await startProcess({ folder });
    const { cwd } = await first.client.open(request);
    await runTurn(first, 't1', bash('git commit -q --allow-empty -m mine; echo > untracked; echo x >> README.md'));
    const status = await git(cwd, '-c', 'safe.directory=*', 'status', '--porcelain');
    const kept = path.join(folder, 'kept');
    cpSync((await first.client.snapshot()).directory, kept, { recursive: true });
    await first.client.stop({ status: 'cut_off' });
    await exitOf(first);
    rmSync(path.join(folder, 'machines'), { recursive: true });
    const second = await startProcess({ folder });
    expect(await second.client.open({ ...request, restore: kept })).toMatchObject({ cwd, resumed: true });
    expect(await git(cwd, '-c', 'safe.directory=*', 'status', '--porcelain')).toBe(status);
    expect(await git(cwd, '-c', 'safe.directory=*', 'log', '-1', '--format=%s')).toBe('mine');
    const { outcome } = await runTurn(second, 't2', bash('git push -q origin HEAD'));
    expect(outcome.branches).toEqual([expect.objectContaining({ pushed: true, dirty_files: 2 })]);
  }, 120_000);

  it('does not show the agent the folder of the runner', async () => {
    const runner = await startProcess({ folder: makeFolder() });
    await runner.client.open(openRequest());
    const command = `cat ${runner.paths.config} ${runner.paths.journal}; echo looked`;
    const { end_seq } = await runTurn(runner, 't1', bash(command));
    const result = (await eventsUpTo(runner.client, end_seq)).find(({ event }) => event.type === 'tool_result');
    expect(JSON.stringify(result)).not.toContain('token-of-the-test');
    expect(JSON.stringify(result)).toContain('looked');
  }, 60_000);
});

describe('an interrupted turn', () => {
  it('leaves no process, not even a hidden one', async () => {
    const runner = await startProcess();
    const before = sleepers();
    await startEscape(runner);
    await until(() => sleepers().length >= before.length + 2);
    await runner.client.interrupt({ turn_id: 't1' });
    await eventOf(runner.client, (event) => event.type === 'turn_complete');
    expect(sleepers()).toEqual(before);
  }, 60_000);
});

describe('the end of a runner process', () => {
  it('by order leaves no process, not even one that hid', async () => {
    const runner = await startProcess();
    const before = sleepers();
    await startEscape(runner);
    await runner.client.stop({ status: 'cut_off' });
    await exitOf(runner);
    expect([runner.child.exitCode, sleepers()]).toEqual([0, before]);
  }, 60_000);

  it('by request writes ended.json, unless processes can only be tracked; the next start removes it', async () => {
    const folder = makeFolder();
    const runner = await startProcess({ folder });
    await runner.client.stop({ status: 'cut_off' });
    await exitOf(runner);
    const said = runner.isolation.isWhole ? { pid: runner.child.pid } : undefined;
    expect(readState(runner.paths.ended)).toEqual(said);
    const again = await startProcess({ folder });
    expect(existsSync(again.paths.ended)).toBe(false);
    again.child.kill('SIGKILL');
    await exitOf(again);
    expect(existsSync(again.paths.ended)).toBe(false);
    const tracking = await startProcess({ kind: 'tracking' });
    await tracking.client.stop({ status: 'cut_off' });
    await exitOf(tracking);
    expect(existsSync(tracking.paths.ended)).toBe(false);
  }, 60_000);

  // prlimit exists only on Linux.
  (process.platform === 'linux' ? it : it.skip)(
    'by request works on a full disk too, and the next runner ends the turn',
    async () => {
      const folder = makeFolder();
      const runner = await startProcess({ folder });
      await startEscape(runner);
      setLargestFile(runner, 0);
      await runner.client.stop({ status: 'cut_off' });
      await exitOf(runner);
      expect(runner.child.exitCode).toBe(0);
      await until(() => sleepers().length === 0);
      const next = await startProcess({ folder });
      const { event } = await eventOf(next.client, ({ type }) => type === 'turn_complete');
      expect(event).toMatchObject({ turn_id: 't1', status: 'crashed' });
    },
    60_000,
  );

  it('by SIGTERM cuts off the turn', async () => {
    const folder = makeFolder();
    const runner = await startProcess({ folder });
    const before = sleepers();
    await startEscape(runner);
    runner.child.kill('SIGTERM');
    await exitOf(runner);
    expect(sleepers()).toEqual(before);
    const again = await startProcess({ folder });
    const reply = await again.client.turn({ turn_id: 't1', number: 1, prompt: 'x', inputs: [] });
    expect(reply.outcome?.status).toBe('cut_off');
  }, 60_000);

  it('by SIGKILL ends the agent too; the next runner marks the turn as crashed and sends no prompt', async () => {
    const folder = makeFolder();
    const runner = await startProcess({ folder });
    const before = sleepers();
    await startEscape(runner);
    runner.child.kill('SIGKILL');
    await exitOf(runner);
    const again = await startProcess({ folder });
    expect(sleepers()).toEqual(before);
    const reply = await again.client.turn({ turn_id: 't1', number: 1, prompt: bash('echo again'), inputs: [] });
    expect(reply).toMatchObject({ state: 'ended', outcome: { status: 'crashed' } });
    const events = await eventsUpTo(again.client, reply.end_seq ?? 0);
    expect(events.map(({ seq }) => seq)).toEqual(events.map((_, at) => at + 1));
    expect(events.filter(({ event }) => event.type === 'user_text')).toHaveLength(1);
    expect(events.at(-1)?.event).toMatchObject({ type: 'turn_complete', status: 'crashed' });
  }, 60_000);

  it('comes at once for a second runner on the same machine, and the first one continues', async () => {
    const folder = makeFolder();
    const runner = await startProcess({ folder });
    await expect(startProcess({ folder })).rejects.toThrow('another runner serves');
    expect(await runner.client.health()).toMatchObject({ pid: runner.child.pid });
  }, 60_000);
});
