// Commands and programs on a machine.
import { expect, it } from '@jest/globals';
import { posix } from 'node:path';
import type { Bench } from './suite.ts';
import { TIMEOUT_MS } from './suite.ts';

export function commandConformance(bench: () => Bench): void {
  it('facts name a Node that runs on the machine and the user of its commands', async () => {
    const machine = await bench().connected();
    const { node, user, home } = await machine.facts();
    expect([posix.isAbsolute(node), posix.isAbsolute(home)]).toEqual([true, true]);
    const args = ['-p', 'JSON.stringify({ major: process.versions.node.split(".")[0], uid: process.getuid() })'];
    const { stdout } = await machine.exec(node, args, { timeoutMs: TIMEOUT_MS });
    const found = JSON.parse(stdout) as { major: string; uid: number };
    expect(Number(found.major)).toBeGreaterThanOrEqual(22);
    expect(found.uid).toBe(user.uid);
  });

  it('exec passes working directory, environment and input, and returns exit code and output', async () => {
    const machine = await bench().connected();
    const result = await machine.exec('sh', ['-c', 'cat; pwd; echo "$WORD"; echo oops >&2; exit 3'], {
      cwd: machine.paths.home,
      env: { WORD: 'a b' },
      input: 'from stdin\n',
      timeoutMs: TIMEOUT_MS,
    });
    expect(result).toEqual({ exitCode: 3, stdout: `from stdin\n${machine.paths.home}\na b\n`, stderr: 'oops\n' });
  });

  it('exec passes arguments, environment and a long input unchanged, and a command without input reads an empty one', async () => {
    const machine = await bench().connected();
    const odd = ['', "it's", '$HOME `id` \\', 'two\nlines', '-n', '*'];
    const shown = await machine.exec('sh', ['-c', 'printf "<%s>" "$@" "$ODD"', 'sh', ...odd], {
      env: { ODD: odd.join('|') },
      timeoutMs: TIMEOUT_MS,
    });
    expect(shown.stdout).toBe([...odd, odd.join('|')].map((each) => `<${each}>`).join(''));
    const long = 'x'.repeat(1_000_000);
    const counted = await machine.exec('wc', ['-c'], { input: long, timeoutMs: TIMEOUT_MS });
    expect(Number(counted.stdout)).toBe(long.length);
    const silent = await machine.exec('cat', [], { timeoutMs: TIMEOUT_MS });
    expect(silent).toEqual({ exitCode: 0, stdout: '', stderr: '' });
  });

  it('exec runs many commands at once', async () => {
    const machine = await bench().connected();
    const results = await Promise.all(
      Array.from({ length: 15 }, (_, index) => machine.exec('echo', [String(index)], { timeoutMs: TIMEOUT_MS })),
    );
    expect(results.map(({ stdout }) => Number(stdout))).toEqual([...results.keys()]);
  });

  it('exec ends a command after its time limit and throws DEADLINE_EXCEEDED', async () => {
    const machine = await bench().connected();
    await expect(machine.exec('sleep', ['60'], { timeoutMs: 100 })).rejects.toMatchObject({
      code: 'DEADLINE_EXCEEDED',
    });
  });

  it('exec also ends the children of a command after its time limit', async () => {
    const machine = await bench().connected();
    const lock = posix.join(machine.paths.runner, 'pipe');
    await machine.exec('mkfifo', [lock], { timeoutMs: TIMEOUT_MS });
    // The child holds the pipe open for writing: a reader sees the end of file once the child is gone.
    const command = machine.exec('sh', ['-c', 'sleep 600 > "$0" & wait', lock], { timeoutMs: 500 });
    const end = machine.exec('cat', [lock], { timeoutMs: TIMEOUT_MS });
    await expect(command).rejects.toMatchObject({ code: 'DEADLINE_EXCEEDED' });
    await expect(end).resolves.toMatchObject({ exitCode: 0 });
  });

  it('exec of a missing program throws FAILED_PRECONDITION and names it', async () => {
    const machine = await bench().connected();
    const missing = machine.exec('no-such-program', [], { timeoutMs: TIMEOUT_MS });
    await expect(missing).rejects.toMatchObject({
      code: 'FAILED_PRECONDITION',
      message: expect.stringContaining('no-such-program'),
    });
  });

  it('launch starts a program with the given environment and appends its output to the log', async () => {
    const machine = await bench().connected();
    const fifo = posix.join(machine.paths.runner, 'done');
    const log = posix.join(machine.paths.runner, 'program.log');
    await machine.exec('mkfifo', [fifo], { timeoutMs: TIMEOUT_MS });
    const script = 'echo "launched $WORD"; echo over > "$0"';
    await machine.launch('sh', ['-c', script, fifo], { log, env: { WORD: "it's" } });
    // Reading the pipe waits until the program has written its output.
    await machine.exec('cat', [fifo], { timeoutMs: TIMEOUT_MS });
    expect((await machine.get(log)).toString()).toBe("launched it's\n");
  });
}
