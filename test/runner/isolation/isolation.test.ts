import { dirname, join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { countRunning, HeldMachine, uniqueSleep, untilRunning } from './held-machine.ts';
import { findRunnerHosts } from '../../../drivers/machines/local/runner-host-end.ts';
import { HOST_FLAG } from '../../../runner/identity/flags.ts';
import { runnersOf } from '../../../runner/identity/processes.ts';
import { COMPANION, MARKER } from '../../../runner/isolation/marker.ts';
import { AGENT, asRoot, asUser, tracked } from './variants.ts';

/** Without /proc, start times are only known to the second. */
const PAUSE_S = process.platform === 'linux' ? '0.1' : '2.1';

jest.setTimeout(60_000);

for (const { name, isPossible, options } of [asRoot, asUser, tracked]) {
  (isPossible ? describe : describe.skip)(`isolation: ${name}`, () => {
    let machine: HeldMachine;
    beforeAll(async () => {
      machine = await HeldMachine.create(options);
    });
    afterEach(async () => {
      await machine.ask({ op: 'endAll' });
    });
    afterAll(async () => {
      await machine.remove();
    });

    describe('a program', () => {
      it('gets its arguments, environment, directory and input, and returns its output and exit status', async () => {
        const end = await machine.run('pwd; echo "$GIVEN"; cat; echo wrong >&2; exit 7', {
          env: { GIVEN: "it's\n$GIVEN" },
          input: 'asked',
        });
        expect(end).toEqual({
          code: 7,
          signal: null,
          stdout: `${machine.paths.work}\nit's\n$GIVEN\nasked`,
          stderr: 'wrong\n',
        });
      });

      it('gets only the given variables and the mark of its machine', async () => {
        const { stdout } = await machine.run('env');
        const names = stdout.split('\n').map((line) => line.replace(/=.*/, ''));
        // The shell adds PWD, OLDPWD and _.
        expect(names.filter((each) => !['', 'PWD', 'OLDPWD', '_', 'SHLVL'].includes(each)).sort()).toEqual([
          MARKER,
          'PATH',
        ]);
      });

      it('can write to its folders', async () => {
        const { home, work } = machine.paths;
        const end = await machine.run(`for d in '${home}' '${work}' /tmp; do rm "$(mktemp -p "$d")" || exit 1; done`);
        expect(end).toMatchObject({ code: 0, stderr: '' });
      });

      it('that is missing ends with a reason', async () => {
        const pid = await machine.start(['murmur-no-such-program']);
        const end = await machine.ask<{ code: number; stderr: string }>({ op: 'end', pid });
        // 127, or 126 when a folder of PATH cannot be entered.
        expect(end.code).toBeGreaterThan(125);
        expect(end.stderr).toContain('murmur-no-such-program');
      });

      it('gets the signals that are sent to its child object', async () => {
        const pid = await machine.start([
          'sh',
          '-c',
          'trap "echo got; exit 3" TERM; echo ready; while :; do read -r x; done',
        ]);
        expect(await machine.ask({ op: 'ask', pid, line: '' })).toBe('ready');
        await machine.ask({ op: 'signal', pid, signal: 'SIGTERM' });
        await machine.ask({ op: 'input', pid, text: '' });
        expect(await machine.ask({ op: 'end', pid })).toMatchObject({ code: 3, stdout: 'ready\ngot\n' });
      });

      it('sees the end of its input, and its output ends when it closes it', async () => {
        expect(await machine.run('cat; exec >&- 2>&-; exit 0', { input: 'x' })).toMatchObject({ code: 0, stdout: 'x' });
      });

      it('is killed together with its children', async () => {
        const sleep = uniqueSleep();
        const pid = await machine.start(['sh', '-c', `${sleep} & echo started; wait`]);
        expect(await machine.ask({ op: 'ask', pid, line: '' })).toBe('started');
        await untilRunning(sleep, 1);
        await machine.ask({ op: 'signal', pid, signal: 'SIGKILL' });
        await machine.ask({ op: 'end', pid });
        await untilRunning(sleep, 0);
      });
    });

    for (const op of ['endStarted', 'endAll'] as const) {
      describe(op, () => {
        it('ends an orphaned process that left its session and has an empty environment', async () => {
          const sleep = uniqueSleep();
          const pid = await machine.start(['sh', '-c', `(setsid env -i ${sleep} &) ; echo started; cat`]);
          expect(await machine.ask({ op: 'ask', pid, line: '' })).toBe('started');
          await untilRunning(sleep, 1);
          await machine.ask({ op });
          expect(await countRunning(sleep)).toBe(0);
        });

        it('ends several programs, and is a no-op when there is none', async () => {
          const sleep = uniqueSleep();
          for (let count = 1; count <= 3; count += 1) await machine.start(sleep.split(' '));
          await untilRunning(sleep, 3);
          await machine.ask({ op });
          expect(await countRunning(sleep)).toBe(0);
          await machine.ask({ op });
        });
      });
    }

    describe('endAll', () => {
      it('ends processes of the previous holder, and the machine still works', async () => {
        const sleep = uniqueSleep();
        const pid = await machine.start(['sh', '-c', `(setsid ${sleep} &) ; echo started; cat`]);
        expect(await machine.ask({ op: 'ask', pid, line: '' })).toBe('started');
        await untilRunning(sleep, 1);
        await machine.killHolder();
        machine.hold();
        await machine.ask({ op: 'endAll' });
        expect(await countRunning(sleep)).toBe(0);
        expect(await machine.run('echo works')).toMatchObject({ stdout: 'works\n' });
      });

      it("does not affect other machines' processes", async () => {
        const sleep = uniqueSleep();
        const other = await HeldMachine.create({ ...options, ...(options.agentUid ? { agentUid: AGENT + 1 } : {}) });
        try {
          await other.start(sleep.split(' '));
          await untilRunning(sleep, 1);
          await machine.ask({ op: 'endAll' });
          expect(await countRunning(sleep)).toBe(1);
        } finally {
          await other.ask({ op: 'endAll' });
          await other.remove();
        }
      });
    });

    // Tracking finds processes by nothing but what they say of themselves.
    (options.kind === 'namespace' ? describe : describe.skip)('a process that poses as one of another machine', () => {
      let other: HeldMachine;
      beforeAll(async () => {
        other = await HeldMachine.create({ ...options, ...(options.agentUid ? { agentUid: AGENT + 1 } : {}) });
      });
      afterAll(async () => {
        await other.remove();
      });

      it("with that machine's mark is neither ended nor waited for at the end of that machine", async () => {
        const name = (await machine.run(`printf '%s' "$${MARKER}"`)).stdout;
        const [forged, own] = [uniqueSleep(), uniqueSleep()];
        await other.start(['sh', '-c', `${MARKER}=${name} ${forged}`]);
        await machine.start(own.split(' '));
        await untilRunning(forged, 1);
        await untilRunning(own, 1);
        await machine.ask({ op: 'endAll' });
        expect([await countRunning(forged), await countRunning(own)]).toEqual([1, 0]);
        // Nor does the mark save it from the end of its own machine.
        await other.ask({ op: 'endAll' });
        expect(await countRunning(forged)).toBe(0);
      });

      it("with the command line of that machine's runner, or of a process for runners, is taken for neither", async () => {
        const machines = dirname(dirname(other.paths.home));
        const runner = join(machines, 'murmur-1', 'runner');
        const pid = await other.start(['sh', '-c', 'while read -r line; do eval "$line"; echo done; done']);
        const sleep = uniqueSleep();
        for (const words of [runner, `${HOST_FLAG} ${machines}`]) {
          const line = `sh -c '${sleep}; :' ${join(runner, 'runner.mjs')} ${words} >/dev/null 2>&1 &`;
          expect(await other.ask({ op: 'ask', pid, line })).toBe('done');
        }
        await untilRunning(sleep, 2);
        expect(await runnersOf(runner)).toEqual([]);
        expect(await findRunnerHosts(machines)).toEqual([]);
        await other.ask({ op: 'endAll' });
      });
    });

    describe('the death of the holder', () => {
      it('ends the program and its children', async () => {
        const [program, child] = [uniqueSleep(), uniqueSleep()];
        const pid = await machine.start(['sh', '-c', `${child} & echo started; exec ${program}`]);
        expect(await machine.ask({ op: 'ask', pid, line: '' })).toBe('started');
        await untilRunning(program, 1);
        await machine.killHolder();
        await untilRunning(program, 0);
        await untilRunning(child, 0);
        machine.hold();
      });
    });

    describe('endStartedSince', () => {
      it('ends processes of a turn, and spares the program and its older helpers', async () => {
        const [helper, leftover] = [uniqueSleep(), uniqueSleep()];
        const pid = await machine.start([
          'sh',
          '-c',
          `${helper} & while read -r line; do eval "$line"; echo done; done`,
        ]);
        await untilRunning(helper, 1);
        expect(await machine.ask({ op: 'ask', pid, line: `sleep ${PAUSE_S}` })).toBe('done');
        const since = Date.now();
        expect(await machine.ask({ op: 'ask', pid, line: `(setsid env -i ${leftover} &)` })).toBe('done');
        await untilRunning(leftover, 1);
        await machine.ask({ op: 'endStartedSince', since, keep: [pid] });
        expect(await countRunning(leftover)).toBe(0);
        expect(await countRunning(helper)).toBe(1);
        expect(await machine.ask({ op: 'ask', pid, line: ':' })).toBe('done');
      });

      it('spares processes that are marked as companions of the program, unless it is told not to', async () => {
        const since = Date.now() - 1_000;
        const [companion, other] = [uniqueSleep(), uniqueSleep()];
        const pid = await machine.start(['sh', '-c', 'while read -r line; do eval "$line"; echo done; done']);
        const line = `${COMPANION}=1 ${companion} >/dev/null 2>&1 & ${other} >/dev/null 2>&1 &`;
        expect(await machine.ask({ op: 'ask', pid, line })).toBe('done');
        await untilRunning(other, 1);
        await untilRunning(companion, 1);
        await machine.ask({ op: 'endStartedSince', since, keep: [pid] });
        expect([await countRunning(companion), await countRunning(other)]).toEqual([1, 0]);
        await machine.ask({ op: 'endStartedSince', since, keep: [pid], all: true });
        expect(await countRunning(companion)).toBe(0);
        expect(await machine.ask({ op: 'ask', pid, line: ':' })).toBe('done');
      });

      it('spares a program that was started since, but not its children', async () => {
        const since = Date.now() - 1_000;
        const child = uniqueSleep();
        const pid = await machine.start(['sh', '-c', 'while read -r line; do eval "$line"; echo done; done']);
        expect(await machine.ask({ op: 'ask', pid, line: `${child} >/dev/null 2>&1 &` })).toBe('done');
        await untilRunning(child, 1);
        await machine.ask({ op: 'endStartedSince', since, keep: [pid] });
        expect(await countRunning(child)).toBe(0);
        expect(await machine.ask({ op: 'ask', pid, line: ':' })).toBe('done');
      });
    });
  });
}
