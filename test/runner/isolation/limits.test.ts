import { afterAll, afterEach, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { existsSync } from 'node:fs';
import { readFile, readlink } from 'node:fs/promises';
import { join } from 'node:path';
import { DEFAULT_MACHINE_LIMITS } from '../../../contract/wire/machine-limits.ts';
import { detectIsolation } from '../../../runner/isolation/detect.ts';
import { countsOwnProcesses } from '../../../runner/isolation/limits.ts';
import { HeldMachine, uniqueSleep, untilRunning } from './held-machine.ts';
import type { ProgramEnd } from './holder.ts';
import { AGENT, asRoot, asUser } from './variants.ts';

jest.setTimeout(60_000);

const { limitsInForce } = await detectIsolation('auto');
const limits = { ...DEFAULT_MACHINE_LIMITS, processes: 40, memory_mb: 256, shm_mb: 4 };
/** Starts up to a hundred programs, as many as allowed, and prints their number. */
const FORKS = 'n=0; while [ $n -lt 100 ]; do sleep 60 & n=$((n+1)); done; echo $n';

for (const { name, isPossible, options } of [asRoot, asUser]) {
  (isPossible ? describe : describe.skip)(`the limits of a machine: ${name}`, () => {
    let machine: HeldMachine;
    beforeAll(async () => {
      machine = await HeldMachine.create({ ...options, limits });
    });
    afterAll(async () => {
      await machine.remove();
    });

    it('are the defaults for a machine of a build without limits', async () => {
      const other = await HeldMachine.create({ ...options, ...(options.agentUid ? { agentUid: AGENT + 1 } : {}) });
      try {
        const { stdout } = await other.run('ulimit -n; df -m /dev/shm | tail -1');
        const [files = '', shm = ''] = stdout.split('\n');
        expect(Number(files)).toBeLessThanOrEqual(65_536);
        expect(shm.split(/\s+/)[1]).toBe(String(DEFAULT_MACHINE_LIMITS.shm_mb));
      } finally {
        await other.remove();
      }
    });

    const countsProcesses = options.agentUid !== undefined || countsOwnProcesses(false);
    (countsProcesses ? it : it.skip)('keep an agent from starting more processes than it may', async () => {
      const { stdout, stderr } = await machine.run(`(${FORKS}); set -- /proc/[0-9]*; echo $#`);
      expect(stderr).toMatch(/fork|temporarily unavailable/i);
      // A shell that cannot fork exits, and its parent counts. The namespace's first process does not count as the
      // agent's.
      expect(Number(stdout.trim().split('\n').at(-1))).toBeLessThanOrEqual(limits.processes + 1);
      await machine.ask({ op: 'endAll' });
    });

    it('limit /dev/shm, which no other agent sees', async () => {
      const end = await machine.run('head -c 8m /dev/zero >/dev/shm/x; stat -c %s /dev/shm/x');
      expect(end.stderr).toContain('No space left');
      expect(Number(end.stdout)).toBeLessThanOrEqual(4 * 1024 * 1024);
      expect(existsSync('/dev/shm/x')).toBe(false);
      expect(await machine.run('ls -A /dev/shm')).toMatchObject({ stdout: '' });
    });

    it('exclude shared memory and queues of other processes', async () => {
      const { stdout } = await machine.run('readlink /proc/self/ns/ipc');
      expect(stdout.trim()).not.toBe(await readlink('/proc/self/ns/ipc'));
    });
  });
}

(asRoot.isPossible ? describe : describe.skip)('the limits of a machine of root', () => {
  let machine: HeldMachine;
  beforeAll(async () => {
    machine = await HeldMachine.create({ ...asRoot.options, limits });
  });
  afterEach(async () => {
    await machine.ask({ op: 'endAll' });
  });
  afterAll(async () => {
    await machine.remove();
  });

  it('count the processes of all its programs together', async () => {
    const sleep = uniqueSleep();
    const first = await machine.start([
      'sh',
      '-c',
      `n=0; while [ $n -lt 25 ]; do ${sleep} & n=$((n+1)); done; echo started; wait`,
    ]);
    expect(await machine.ask({ op: 'ask', pid: first, line: '' })).toBe('started');
    await untilRunning(sleep, 25);
    const { stderr } = await machine.run('n=0; while [ $n -lt 25 ]; do sleep 60 & n=$((n+1)); done');
    expect(stderr).toMatch(/fork|temporarily unavailable/i);
  });

  (limitsInForce?.memory === 'cgroup' ? it : it.skip)('end a process when all together take more memory', async () => {
    // The signal ends a child, and not the program that waits for it.
    const end = await machine.run('head -c 400m /dev/zero | tail -c 399m >/dev/null; echo "ended $?"');
    expect(end.stdout).toBe('ended 137\n');
    expect(await machine.run('echo works')).toMatchObject({ stdout: 'works\n' });
  });

  (limitsInForce?.processes === 'cgroup' ? it : it.skip)(
    'are removed with its last process, also when the caller was killed',
    async () => {
      await machine.run('true');
      const notes = join(machine.paths.isolation, 'cgroups');
      const folders = JSON.parse(await readFile(notes, 'utf8')) as string[];
      expect(folders.length).toBeGreaterThan(0);
      expect(folders.every((folder) => existsSync(folder))).toBe(true);
      await machine.ask({ op: 'endStarted' });
      expect(folders.some((folder) => existsSync(folder))).toBe(false);
      const pid = await machine.start(['sh', '-c', 'echo started; cat']);
      expect(await machine.ask({ op: 'ask', pid, line: '' })).toBe('started');
      expect(folders.every((folder) => existsSync(folder))).toBe(true);
      await machine.killHolder();
      machine.hold();
      await machine.ask({ op: 'endAll' });
      expect(folders.some((folder) => existsSync(folder))).toBe(false);
    },
  );
});

(asUser.isPossible ? describe : describe.skip)('the limits of a machine of another user than root', () => {
  // Cgroups that root may create say nothing about those of another user.
  const hasOwnCgroup = process.getuid?.() !== 0 && limitsInForce?.memory === 'cgroup';
  (hasOwnCgroup ? it.skip : it)(
    'apply to the memory of each process where no cgroup does, and can be raised',
    async () => {
      const machine = await HeldMachine.create({ ...asUser.options, limits: { ...limits, memory_mb: 2_500 } });
      try {
        const allocate = `'${process.execPath}' -e 'new ArrayBuffer(3 * 2 ** 30)'`;
        const { stdout } = await machine.run('cat /proc/self/cgroup');
        expect(stdout).not.toContain('/murmur/');
        const pid = await machine.start(['sh', '-c', allocate]);
        const end = await machine.ask<ProgramEnd>({ op: 'end', pid });
        expect(end.stderr).toContain('Array buffer allocation failed');
        expect(await machine.run(`ulimit -d unlimited && ${allocate}`)).toMatchObject({ code: 0 });
      } finally {
        await machine.remove();
      }
    },
  );
});

describe('countsOwnProcesses', () => {
  it.each([
    [true, '4.4.0', true],
    [false, '4.19.0-26-amd64', false],
    [false, '5.10.0-32-amd64', false],
    [false, '5.14.0-427.el9', true],
    [false, '6.18.44', true],
  ])('own user %s, Linux %s: %s', (ownUser, kernel, expected) => {
    expect(countsOwnProcesses(ownUser, kernel)).toBe(expected);
  });
});
