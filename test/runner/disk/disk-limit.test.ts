import { spawnSync } from 'node:child_process';
import { linkSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterEach, describe, expect, it } from '@jest/globals';
import { sizeOfFolders } from '../../../runner/disk/folder-size.ts';
import { rest } from '../../../runner/disk/pace.ts';
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

/** Writes so many MiB; zeros would do, but a disk may not store them. */
function write(file: string, mebibytes: number): string {
  return `head -c ${String(mebibytes * MIB)} /dev/urandom > ${file}`;
}

describe('an agent whose files hold more than they may', () => {
  it('has its turn ended with what it holds, the limit and the setting; the next one is told, and may clean up', async () => {
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
    // A look after the turn finds that it has done so.
    for (let turn = 3; await isTold(`t${String(turn)}`, bash('true')); turn += 1) expect(turn).toBeLessThan(100);
  }, 120_000);

  it('has what an earlier turn left behind ended, also while no turn runs', async () => {
    const runner = await openRunner();
    // It ends by itself after some seconds.
    const daemon = `(for n in $(seq 100); do sleep 0.1; ${write('daemon.$n', 1)}; done) >/dev/null 2>&1 & echo $! > pid`;
    expect((await runTurn(runner, 't1', bash(daemon))).outcome.status).toBe('completed');
    const pid = Number(readFileSync(path.join(runner.paths.work, 'pid'), 'utf8'));
    await eventOf(runner.client, (event) => event.type === 'error' && event.code === 'disk');
    await until(() => !isRunning(pid));
  }, 120_000);
});

describe('what an agent may hold', () => {
  const [free, limit] = [10_000 * MIB, 100 * MIB];

  it('is the limit; above it, what it holds and a little', () => {
    const ceiling = new Ceiling(limit);
    const isExceeded = (mebibytes: number): boolean => ceiling.isExceeded({ bytes: mebibytes * MIB, free });
    expect([100, 101, 101, 165, 166, 90, 101].map(isExceeded)).toEqual([false, true, false, false, true, false, true]);
  });

  it('is told once when it cannot be counted, so that what cleans up is not ended, and again when the disk loses more', () => {
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

/** Folders in one another, of so many thousand characters. By steps: the whole path is longer than the system takes. */
function dig(folder: string, thousands: number, then = 'true'): void {
  const name = 'x'.repeat(200);
  const steps = `n=0; while [ $n -lt ${String(thousands * 5)} ]; do mkdir ${name}; cd -P ${name} || exit 1; n=$((n+1)); done; ${then}`;
  expect(spawnSync('bash', ['-c', steps], { cwd: folder }).status).toBe(0);
}

it('urgent looks wait for no others', async () => {
  const ends = new AbortController();
  // It rests for an hour and a half.
  const other = rest(60_000, 0.011, ends.signal);
  await rest(0, 0.1, AbortSignal.timeout(10_000));
  ends.abort();
  await expect(other).rejects.toThrow();
});

describe('the size of folders', () => {
  const pace = { share: 1, signal: new AbortController().signal };
  const sized = async (folder: string): Promise<number> => Math.round((await sizeOfFolders([folder], pace)) / MIB);

  it('counts a file with several names once, and nothing behind a link', async () => {
    const [folder, elsewhere] = [makeFolder(), makeFolder()];
    writeFileSync(path.join(folder, 'one'), Buffer.alloc(8 * MIB, 'x'));
    linkSync(path.join(folder, 'one'), path.join(folder, 'two'));
    writeFileSync(path.join(elsewhere, 'big'), Buffer.alloc(8 * MIB, 'x'));
    symlinkSync(elsewhere, path.join(folder, 'folder'));
    symlinkSync(path.join(elsewhere, 'big'), path.join(folder, 'file'));
    expect(await sized(folder)).toBe(8);
  });

  it('finds what lies under a name that is no text, and counts empty files', async () => {
    const folder = makeFolder();
    writeFileSync(Buffer.concat([Buffer.from(`${folder}/`), Buffer.from([0xff, 0xfe])]), Buffer.alloc(4 * MIB, 'x'));
    for (let file = 0; file < 1_024; file += 1) writeFileSync(path.join(folder, String(file)), '');
    expect(await sized(folder)).toBe(8);
  });

  it.each([4, 20])('finds what lies %i thousand characters deep', async (thousands) => {
    const folder = makeFolder();
    dig(folder, thousands, write('deep', 4));
    expect(await sized(folder)).toBe(4);
    spawnSync('rm', ['-rf', folder]);
  });

  it('ends when it is told to', async () => {
    const folder = makeFolder();
    mkdirSync(path.join(folder, 'a'));
    await expect(sizeOfFolders([folder], { share: 0.5, signal: AbortSignal.abort() })).rejects.toThrow();
  });
});
