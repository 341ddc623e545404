// What is refused before anything runs, or tells what is missing: with its code, its exit status and what to do.
import { existsSync } from 'node:fs';
import { chmod, link, mkdir, mkdtemp, realpath, rm, writeFile } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { execa } from 'execa';
import { settled } from './fixtures/agent.ts';
import { clientOf } from './fixtures/client.ts';
import { expectRefusal, spawnBare } from './fixtures/refusals.ts';
import { eventually, startStack, type TestStack } from './fixtures/stack.ts';
import { ROOT } from '../fixtures/program-under-test.ts';

/** Several commands, each a process of its own, on two slow cores. */
const TIMEOUT_MS = 180_000;
const CLAUDE = join(ROOT, 'node_modules', '.bin', 'claude');

let stack: TestStack;
/** Open to every user, as the folders of real programs are. */
let programs: string;

beforeAll(async () => {
  programs = await mkdtemp(join(tmpdir(), 'murmur-programs-'));
  await chmod(programs, 0o755);
  stack = await startStack({ up: false });
}, TIMEOUT_MS);
afterAll(async () => {
  await stack[Symbol.asyncDispose]();
  await rm(programs, { recursive: true, force: true });
}, TIMEOUT_MS);

/** The search path without any folder that has Claude Code. */
function pathWithoutClaude(): string {
  const folders = (process.env['PATH'] ?? '').split(delimiter);
  return folders.filter((folder) => folder !== '' && !existsSync(join(folder, 'claude'))).join(delimiter);
}

describe('before anything runs', () => {
  it('a command line that cannot be understood offers the nearest that can', async () => {
    await expectRefusal(stack, ['stauts', 'x'], {
      exitCode: 2,
      message: 'unknown command "stauts"',
      hint: 'did you mean `murmur status`?',
    });
    await expectRefusal(stack, ['ls', '--jsno'], {
      exitCode: 2,
      message: 'unknown flag --jsno',
      hint: 'did you mean --json?',
    });
    await expectRefusal(stack, ['spawn', 'x', 'y', '--on-idle', 'kep-aliv'], {
      exitCode: 2,
      message: 'unknown value "kep-aliv" for --on-idle',
      hint: 'did you mean keep-alive? it takes keep-alive, terminate',
    });
  }, 180_000);

  it('nothing running names `murmur up`, for people and as JSON', async () => {
    const nothing = { exitCode: 9, message: 'no Murmur is running here', hint: 'run `murmur up`' };
    await expectRefusal(stack, ['ls'], nothing);
    await expectRefusal(stack, ['spawn', 'early', 'x'], nothing);
    const { exitCode, stdout } = await stack.run(['status', 'x', '--json']);
    expect(exitCode).toBe(9);
    expect(JSON.parse(stdout)).toMatchObject({ error: { code: 'UNAVAILABLE', hint: 'run `murmur up`' } });
  }, 180_000);

  it('a branch that is not pushed is named with the push command', async () => {
    const git = (...args: string[]) => execa('git', args, { cwd: stack.sample.checkout });
    await git('checkout', '--quiet', '-b', 'feature/login');
    await git('commit', '--quiet', '--allow-empty', '-m', 'Not pushed');
    await expectRefusal(
      stack,
      ['spawn', 'x', 'y'],
      {
        exitCode: 6,
        message: 'branch feature/login is not on origin: an agent clones from origin',
        hint: 'run `git push -u origin feature/login`',
      },
      stack.sample.checkout,
    );
    await git('checkout', '--quiet', 'main');
  }, 180_000);

  it('an unknown key in murmur.yaml is named with its file and value', async () => {
    const project = join(stack.directory, 'project');
    const file = join(project, '.murmur', 'murmur.yaml');
    await mkdir(join(project, '.murmur'), { recursive: true });
    await writeFile(file, 'workspace: shop\nmodle: opus\n');
    const refusal = {
      exitCode: 2,
      message: `${file}: key "modle" (value "opus") is not known`,
      hint: 'correct the file; it may hold workspace and model',
    };
    await expectRefusal(stack, ['ls'], refusal, project);
    await expectRefusal(stack, ['up'], refusal, project);
  }, 180_000);

  it('a MURMUR_HOME that cannot be written is named with the reason', async () => {
    const file = join(stack.directory, 'a-file');
    await writeFile(file, '');
    const up = await stack.run(['up'], { env: { MURMUR_HOME: file } });
    expect(up).toMatchObject({ exitCode: 6, stdout: '' });
    expect(up.stderr).toContain(`murmur: MURMUR_HOME ${file} cannot be written: `);
    expect(up.stderr).toContain('hint: make it writable, or set MURMUR_HOME to a folder of yours');
    const doctor = await stack.runInProcess(['doctor'], { env: { MURMUR_HOME: join(file, 'below') } });
    expect(doctor.exitCode).toBe(6);
    expect(doctor.stdout).toContain(`MURMUR_HOME ${join(file, 'below')} cannot be written`);
  }, 180_000);

  it('a taken port is named with the settings that change it, and nothing is left running', async () => {
    const other = createServer().listen(0, '127.0.0.1');
    await eventually('the port is taken', () => other.listening);
    const { port } = other.address() as AddressInfo;
    try {
      await expectRefusal(stack, ['up', '--api-port', String(port)], {
        exitCode: 6,
        message: `port ${String(port)} for the API server is taken by another program`,
        hint: /--api-port or MURMUR_API_PORT/,
      });
      const doctor = await stack.runInProcess(['doctor'], { env: { MURMUR_API_PORT: String(port) } });
      expect(doctor.exitCode).toBe(6);
      expect(doctor.stdout).toContain(`port ${String(port)} for the API server is taken`);
    } finally {
      other.close();
    }
    expect(await stack.murmur(['down'])).toBe('nothing was running');
  }, 180_000);
});

describe('Claude Code', () => {
  it('that is missing is told by up, by doctor and by the agent; two `up` at once start one stack', async () => {
    const env = { PATH: pathWithoutClaude(), MURMUR_CLAUDE: '' };
    const ups = await Promise.all([stack.run(['up', '--json'], { env }), stack.run(['up', '--json'], { env })]);
    expect(ups.map(({ exitCode }) => exitCode)).toEqual([0, 0]);
    const supervisors = ups.map(({ stdout }) => (JSON.parse(stdout) as { supervisor: number }).supervisor);
    expect(new Set(supervisors).size).toBe(1);
    expect(ups.map(({ stderr }) => stderr).join('\n')).toContain('claude is not on PATH (install Claude Code');

    const doctor = await stack.run(['doctor'], { env });
    expect(doctor.exitCode).toBe(6);
    expect(doctor.stdout).toMatch(/^problem +claude +claude is not on PATH\n +fix: install Claude Code: npm install/m);
    await spawnBare(stack, 'without-claude', 'Hello?');
    const status = await settled(stack, 'without-claude');
    expect(status).toMatchObject({ phase: 'failed', undelivered: ['Hello?'] });
    expect(status.reason).toContain('claude is not on PATH (install Claude Code: `npm install -g');
    await stack.murmur(['down']);
  }, 180_000);

  it('of a version that is not tested is a warning that names the range', async () => {
    const other = join(programs, 'claude');
    const lie = `sed -u 's/"claude_code_version":"[^"]*"/"claude_code_version":"9.9.9"/'`;
    // An agent sees the folder of its program, and nothing else below a temporary folder, where the checkout may lie.
    // On another file system it does not.
    const real = join(programs, 'real');
    const claude = await link(await realpath(CLAUDE), real).then(
      () => real,
      () => CLAUDE,
    );
    const script = `#!/bin/sh\n[ "$1" = --version ] && echo "9.9.9 (Claude Code)" && exit\n'${claude}' "$@" | ${lie}\n`;
    await writeFile(other, script, { mode: 0o755 });
    const up = await stack.run(['up'], { env: { MURMUR_CLAUDE: other } });
    expect(up.exitCode).toBe(0);
    expect(up.stderr).toMatch(/claude 9\.9\.9 is outside the tested range, 2\.\d+\.\d+ up to/);
    const doctor = await stack.run(['doctor'], { env: { MURMUR_CLAUDE: other } });
    expect(doctor.exitCode).toBe(0);
    expect(doctor.stdout).toMatch(/^warning +claude +claude 9\.9\.9 is outside the tested range/m);

    await spawnBare(stack, 'untested', 'Hello?');
    expect((await settled(stack, 'untested')).response).toContain('Hello?');
    await (await clientOf(stack)).call('session_stop', { slug: 'untested' });
    expect(await stack.murmur(['session', 'watch', 'untested'])).toMatch(
      /warning: Claude Code 9\.9\.9 is outside the tested range \(tested: 2\./,
    );
  }, 180_000);
});
