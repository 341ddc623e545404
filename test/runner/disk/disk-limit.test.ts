import { spawnSync } from 'node:child_process';
import { linkSync, mkdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterEach, describe, expect, it } from '@jest/globals';
import { sizeOfFolders } from '../../../runner/disk/folder-size.ts';
import { rest } from '../../../runner/disk/pace.ts';
import { COMPANION } from '../../../runner/isolation/marker.ts';
import { createTrackingIsolation } from '../../../runner/isolation/tracking.ts';
import { machinePaths } from '../../../runner/machine-paths.ts';
import { Ceiling } from '../../../runner/disk/disk-limit.ts';
import { bash, cleanUp, eventOf, isRunning, makeFolder, openRequest, runTurn, startRunner, until } from '../fixture.ts';
import type { TestRunner } from '../fixture.ts';

afterEach(cleanUp);

const MIB = 1_048_576;

async function openRunner(asked: string[] = []): Promise<TestRunner> {
  const runner = await startRunner({ diskMb: 16, onAsk: (prompt) => void asked.push(prompt) });
  await runner.client.open(openRequest());
  return runner;
}

/** Writes this many MiB. Not zeros, which some disks do not store. */
function write(file: string, mebibytes: number): string {
  return `head -c ${String(mebibytes * MIB)} /dev/urandom > ${file}`;
}

describe('an agent whose files hold more than they may', () => {
  it('has its turn ended with usage, limit and setting; the next turn gets a note and may clean up', async () => {
    const asked: string[] = [];
    const runner = await openRunner(asked);
    const { outcome } = await runTurn(runner, 't1', bash(`${write('big', 40)}; sleep 600`));
    expect(outcome).toMatchObject({
      status: 'limit',
      error: {
        kind: 'disk',
        message: expect.stringMatching(/^the agent's files hold \d+ MiB; the limit is 16 MiB \(limits\.disk_mb/),
        retryable: false,
      },
    });
    const told = await eventOf(runner.client, ({ type }) => type === 'error');
    expect(told.event).toMatchObject({ code: 'disk' });
    const isTold = async (turnId: string, prompt: string): Promise<boolean> => {
      asked.splice(0);
      expect((await runTurn(runner, turnId, prompt)).outcome.status).toBe('completed');
      return asked.some((each) => each.includes('Delete what you do not need'));
    };
    expect(await isTold('t2', bash('rm big'))).toBe(true);
    // A check after the turn notices the clean-up.
    for (let turn = 3; await isTold(`t${String(turn)}`, bash('true')); turn += 1) expect(turn).toBeLessThan(100);
  }, 120_000);

  it('has processes of earlier turns ended, also while no turn runs', async () => {
    const runner = await openRunner();
    // The process ends by itself after some seconds.
    const daemon = `(for n in $(seq 100); do sleep 0.1; ${write('daemon.$n', 1)}; done) >/dev/null 2>&1 & echo $! > pid`;
    expect((await runTurn(runner, 't1', bash(daemon))).outcome.status).toBe('completed');
    const pid = Number(readFileSync(path.join(runner.paths.work, 'pid'), 'utf8'));
    await eventOf(runner.client, (event) => event.type === 'error' && event.code === 'disk');
    await until(() => !isRunning(pid));
  }, 120_000);
});

describe('a process that poses as a companion of the agent program', () => {
  it('is ended when it goes on writing, and the program is started again with its companions', async () => {
    const folder = makeFolder();
    const { home, work, run, runner: own } = machinePaths(path.join(folder, 'runner'));
    const paths = { home, work, run, isolation: path.join(folder, 'isolation') };
    const machine = 'murmur-00000000';
    const containment = createTrackingIsolation({ kind: 'tracking', machine, paths, hide: [own], keep: [] });
    const runner = await startRunner({ folder, machine, containment, diskMb: 16 });
    await runner.client.open(openRequest());
    const writer = `for n in $(seq 200); do sleep 0.05; ${write('posing.$n', 1)}; done; sleep 600`;
    const posing = `${COMPANION}=1 setsid sh -c '${writer}' >/dev/null 2>&1 & echo $! > pid`;
    expect((await runTurn(runner, 't1', bash(posing))).outcome.status).toBe('completed');
    const pid = Number(readFileSync(path.join(runner.paths.work, 'pid'), 'utf8'));
    await until(() => !isRunning(pid));
    // Each start of the program writes this file.
    const startedAt = (): bigint => statSync(runner.paths.session, { bigint: true }).mtimeNs;
    const before = startedAt();
    await runner.client.open(openRequest());
    expect(startedAt()).toBeGreaterThan(before);
    expect((await runTurn(runner, 't2', bash('rm posing.*'))).outcome.status).toBe('completed');
  }, 120_000);
});

describe('what an agent may hold', () => {
  const [free, limit] = [10_000 * MIB, 100 * MIB];

  it('is the limit or, above it, its current size and a margin', () => {
    const ceiling = new Ceiling(limit);
    const isExceeded = (mebibytes: number): boolean => ceiling.isExceeded({ bytes: mebibytes * MIB, free });
    expect([100, 101, 101, 165, 166, 90, 101].map(isExceeded)).toEqual([false, true, false, false, true, false, true]);
  });

  it('is reported once if it cannot be measured, so that a clean-up is not ended, and again when the disk loses more', () => {
    const ceiling = new Ceiling(limit);
    const isExceeded = (lost: number, bytes = Infinity): boolean =>
      ceiling.isExceeded({ bytes, free: free - lost * MIB });
    expect([0, 0, 64, 65, 65, -50, 129].map((lost) => isExceeded(lost))).toEqual([
      ...[true, false, false, true, false, false],
      false,
    ]);
    expect(isExceeded(130)).toBe(true);
    expect([isExceeded(130, 300 * MIB), isExceeded(130, 300 * MIB), isExceeded(130)]).toEqual([false, false, true]);
  });
});

/**
 * Creates nested folders with a path of this many thousand characters. In steps, because it exceeds the system's limit.
 */
function dig(folder: string, thousands: number, then = 'true'): void {
  const name = 'x'.repeat(200);
  const steps = `n=0; while [ $n -lt ${String(thousands * 5)} ]; do mkdir ${name}; cd -P ${name} || exit 1; n=$((n+1)); done; ${then}`;
  expect(spawnSync('bash', ['-c', steps], { cwd: folder }).status).toBe(0);
}

it('urgent measures do not wait for others', async () => {
  const ends = new AbortController();
  // This work rests for an hour and a half.
  const other = rest(60_000, 0.011, ends.signal);
  await rest(0, 0.1, AbortSignal.timeout(10_000));
  ends.abort();
  await expect(other).rejects.toThrow();
});

describe('the size of folders', () => {
  const pace = { share: 1, signal: new AbortController().signal };
  const sized = async (folder: string): Promise<number> => Math.round((await sizeOfFolders([folder], pace)) / MIB);

  it('counts a file with several names once, and does not follow links', async () => {
    const [folder, elsewhere] = [makeFolder(), makeFolder()];
    writeFileSync(path.join(folder, 'one'), Buffer.alloc(8 * MIB, 'x'));
    linkSync(path.join(folder, 'one'), path.join(folder, 'two'));
    writeFileSync(path.join(elsewhere, 'big'), Buffer.alloc(8 * MIB, 'x'));
    symlinkSync(elsewhere, path.join(folder, 'folder'));
    symlinkSync(path.join(elsewhere, 'big'), path.join(folder, 'file'));
    expect(await sized(folder)).toBe(8);
  });

  it('measures folders with names that are not UTF-8, and counts empty files', async () => {
    const folder = makeFolder();
    writeFileSync(Buffer.concat([Buffer.from(`${folder}/`), Buffer.from([0xff, 0xfe])]), Buffer.alloc(4 * MIB, 'x'));
    for (let file = 0; file < 1_024; file += 1) writeFileSync(path.join(folder, String(file)), '');
    expect(await sized(folder)).toBe(8);
  });

  it.each([4, 20])('measures folders whose path has %i thousand characters', async (thousands) => {
    const folder = makeFolder();
    dig(folder, thousands, write('deep', 4));
    expect(await sized(folder)).toBe(4);
    spawnSync('rm', ['-rf', folder]);
  });

  it('rejects when the signal aborts', async () => {
    const folder = makeFolder();
    mkdirSync(path.join(folder, 'a'));
    await expect(sizeOfFolders([folder], { share: 0.5, signal: AbortSignal.abort() })).rejects.toThrow();
  });
});
