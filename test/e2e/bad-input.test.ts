// Invalid input is refused with a code, an exit status and a hint. Large and hostile texts work. Nothing is lost in
// either case.
import { randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { appendFile, chmod, link, mkdir, mkdtemp, readFile, realpath, rm, writeFile } from 'node:fs/promises';
import { request } from 'node:http';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { execa } from 'execa';
import { bash, machineOf, scripted, settled, statusOf } from './fixtures/agent.ts';
import { clientOf } from './fixtures/client.ts';
import { eventLog, expectWholeLog, ofType } from './fixtures/log.ts';
import { isAlive, runnerOf } from './fixtures/processes.ts';
import { startProgram } from './fixtures/program.ts';
import { PROGRAM, ROOT } from '../fixtures/program-under-test.ts';
import { eventually, startStack, type CommandResult, type TestStack } from './fixtures/stack.ts';

/** Limit for several commands, each a process, on two slow cores. */
const TIMEOUT_MS = 180_000;
const FAKE_MODEL = 'fake-1';
const FAKE = ['--model', FAKE_MODEL];
const CLAUDE = join(ROOT, 'node_modules', '.bin', 'claude');

let stack: TestStack;
/** Readable by every user, like the folders of real programs. */
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

/** Spawns an agent without a repository, over HTTP. */
async function spawn(slug: string, description: string, more: { readonly model?: string } = {}): Promise<void> {
  await (await clientOf(stack)).call('spawn', { slug, description, ...more });
}

interface Refusal {
  readonly exitCode: number;
  /** The error message, without `murmur: `. */
  readonly message: string | RegExp;
  readonly hint?: string | RegExp;
}

/**
 * Expects the command, as a process, to exit with this status, without a result, and to print message and hint last.
 */
async function expectRefusal(args: readonly string[], refusal: Refusal, cwd = stack.directory): Promise<void> {
  expectRefused(args, await stack.run(args, { cwd }), refusal);
}

/** The same for the command in this process, for refusals before anything runs. */
async function expectRefusalInProcess(args: readonly string[], refusal: Refusal): Promise<void> {
  expectRefused(args, await stack.runInProcess(args, { cwd: stack.directory }), refusal);
}

function expectRefused(args: readonly string[], result: CommandResult, refusal: Refusal): void {
  const { exitCode, stderr, stdout } = result;
  const [, message = '', hint = ''] = /^murmur: (?!this is no git)(.*)$(?:\nhint: (.*)$)?/m.exec(stderr) ?? [];
  expect({ args, exitCode, stdout, message, hint }).toEqual({
    args,
    exitCode: refusal.exitCode,
    stdout: '',
    message: matching(refusal.message),
    hint: matching(refusal.hint ?? /^/),
  });
  expect(stderr).not.toContain('    at ');
}

function matching(text: string | RegExp): unknown {
  return typeof text === 'string' ? text : expect.stringMatching(text);
}

/** PATH without the folders that contain Claude Code. */
function pathWithoutClaude(): string {
  const folders = (process.env['PATH'] ?? '').split(delimiter);
  return folders.filter((folder) => folder !== '' && !existsSync(join(folder, 'claude'))).join(delimiter);
}

describe('before anything runs', () => {
  it('an invalid command line is refused with a suggestion', async () => {
    await expectRefusal(['stauts', 'x'], {
      exitCode: 2,
      message: 'unknown command "stauts"',
      hint: 'did you mean `murmur status`?',
    });
    await expectRefusal(['ls', '--jsno'], {
      exitCode: 2,
      message: 'unknown flag --jsno',
      hint: 'did you mean --json?',
    });
    await expectRefusal(['spawn', 'x', 'y', '--on-idle', 'kep-aliv'], {
      exitCode: 2,
      message: 'unknown value "kep-aliv" for --on-idle',
      hint: 'did you mean keep-alive? it takes keep-alive, terminate',
    });
  }, 180_000);

  it('without a running stack, the error suggests `murmur up`, for people and as JSON', async () => {
    const nothing = { exitCode: 9, message: 'no Murmur is running here', hint: 'run `murmur up`' };
    await expectRefusal(['ls'], nothing);
    await expectRefusal(['spawn', 'early', 'x'], nothing);
    const { exitCode, stdout } = await stack.run(['status', 'x', '--json']);
    expect(exitCode).toBe(9);
    expect(JSON.parse(stdout)).toMatchObject({ error: { code: 'UNAVAILABLE', hint: 'run `murmur up`' } });
  }, 180_000);

  it('an unpushed branch is refused, with the push command', async () => {
    const git = (...args: string[]) => execa('git', args, { cwd: stack.sample.checkout });
    await git('checkout', '--quiet', '-b', 'feature/login');
    await git('commit', '--quiet', '--allow-empty', '-m', 'Not pushed');
    await expectRefusal(
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

  it('an unknown key in murmur.yaml is refused, with its file and value', async () => {
    const project = join(stack.directory, 'project');
    const file = join(project, '.murmur', 'murmur.yaml');
    await mkdir(join(project, '.murmur'), { recursive: true });
    await writeFile(file, 'workspace: shop\nmodle: opus\n');
    const refusal = {
      exitCode: 2,
      message: `${file}: key "modle" (value "opus") is not known`,
      hint: 'correct the file; it may hold workspace and model',
    };
    await expectRefusal(['ls'], refusal, project);
    await expectRefusal(['up'], refusal, project);
  }, 180_000);

  it('a MURMUR_HOME that is not writable is refused, with the reason', async () => {
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

  it('a port in use is refused, with the settings that change it, and nothing is left running', async () => {
    const other = createServer().listen(0, '127.0.0.1');
    await eventually('the port is taken', () => other.listening);
    const { port } = other.address() as AddressInfo;
    try {
      await expectRefusal(['up', '--api-port', String(port)], {
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
  it('that is missing is reported by up, by doctor and by the agent; two concurrent `up` start one stack', async () => {
    const env = { PATH: pathWithoutClaude(), MURMUR_CLAUDE: '' };
    const ups = await Promise.all([stack.run(['up', '--json'], { env }), stack.run(['up', '--json'], { env })]);
    expect(ups.map(({ exitCode }) => exitCode)).toEqual([0, 0]);
    const supervisors = ups.map(({ stdout }) => (JSON.parse(stdout) as { supervisor: number }).supervisor);
    expect(new Set(supervisors).size).toBe(1);
    expect(ups.map(({ stderr }) => stderr).join('\n')).toContain('claude is not on PATH (install Claude Code');

    const doctor = await stack.run(['doctor'], { env });
    expect(doctor.exitCode).toBe(6);
    expect(doctor.stdout).toMatch(/^problem +claude +claude is not on PATH\n +fix: install Claude Code: npm install/m);
    await spawn('without-claude', 'Hello?');
    const status = await settled(stack, 'without-claude');
    expect(status).toMatchObject({ phase: 'failed', undelivered: ['Hello?'] });
    expect(status.reason).toContain('claude is not on PATH (install Claude Code: `npm install -g');
    await stack.murmur(['down']);
  }, 180_000);

  it('of an untested version leads to a warning with the tested range', async () => {
    const other = join(programs, 'claude');
    const lie = `sed -u 's/"claude_code_version":"[^"]*"/"claude_code_version":"9.9.9"/'`;
    // An agent sees its program's folder but nothing else below a temporary folder, which may contain the checkout. So
    // the real program is linked there, unless it is on another file system.
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

    await spawn('untested', 'Hello?');
    expect((await settled(stack, 'untested')).response).toContain('Hello?');
    await (await clientOf(stack)).call('session_stop', { slug: 'untested' });
    expect(await stack.murmur(['session', 'watch', 'untested'])).toMatch(
      /warning: Claude Code 9\.9\.9 is outside the tested range \(tested: 2\./,
    );
  }, 180_000);
});

describe('an unknown, ended or existing agent', () => {
  it('an invalid slug is quoted as typed, with the rule', async () => {
    const rule = 'it needs 1 to 63 lower-case letters, digits and hyphens, with a letter or digit at both ends';
    for (const slug of ['Fix_Auth', 'fix auth', '-fix-', 'a'.repeat(64), 'fïx']) {
      await expectRefusalInProcess(['spawn', '--', slug, 'x'], {
        exitCode: 2,
        message: `slug ${JSON.stringify(slug)} is not valid: ${rule}`,
      });
    }
    await expectRefusalInProcess(['status', 'parent/Child'], {
      exitCode: 2,
      message: `slug "Child" is not valid: ${rule}`,
    });
    await expectRefusalInProcess(['spawn', '', 'x'], { exitCode: 2, message: 'slug required' });
    await expectRefusalInProcess(['spawn', 'x', ' '], { exitCode: 2, message: 'description required' });
  }, 180_000);

  it('an unknown slug is NOT_FOUND, with its path', async () => {
    for (const args of [['status'], ['wait'], ['kill'], ['turns'], ['session', 'interrupt'], ['task', 'ls']]) {
      await expectRefusalInProcess([...args, 'nobody'], {
        exitCode: 4,
        message: /^agent "\/w\/default\/u\/[^/]+\/nobody" not found \(slug "nobody"\)$/,
        hint: 'list agents with `murmur ls`',
      });
    }
    await expectRefusal(['queue', 'add', 'nobody', 'x', '-w', 'shop'], {
      exitCode: 4,
      message: /^agent "\/w\/shop\/u\/[^/]+\/nobody" not found/,
    });
  }, 180_000);

  it('the slug of a running agent is ALREADY_EXISTS, and that of an ended one cannot be reused', async () => {
    await spawn('twice', 'Hello', { model: FAKE_MODEL });
    await settled(stack, 'twice');
    await expectRefusal(['spawn', 'twice', 'Hello again', ...FAKE], {
      exitCode: 5,
      message: /^agent "\/w\/default\/u\/[^/]+\/twice" is already running$/,
      hint: 'send it a follow-up with `murmur queue add twice`',
    });
    const [turn, ...others] = await stack.json<readonly object[]>(['turns', 'twice']);
    expect(turn).toMatchObject({ description: 'Hello' });
    expect(others).toEqual([]);
    await (await clientOf(stack)).call('kill', { slug: 'twice' });
    const ended = { exitCode: 6, message: /twice" has ended: it is canceled$/, hint: /another slug/ };
    await expectRefusalInProcess(['spawn', 'twice', 'Hello', ...FAKE], ended);
    await expectRefusalInProcess(['queue', 'add', 'twice', 'Are you there?'], ended);
    await expectRefusal(['session', 'send', 'twice', 'Are you there?'], ended);
    await expectRefusalInProcess(['task', 'create', 'twice', 'Something'], ended);
  }, 180_000);

  it('a missing repository or branch fails the agent, with a reason that names it', async () => {
    const gone = join(stack.directory, 'gone.git');
    await stack.runInProcess(['spawn', 'no-repo', 'x', ...FAKE, '--repo', gone]);
    await stack.runInProcess(['spawn', 'no-branch', 'x', ...FAKE, '--repo', `${stack.sample.origin}=nowhere`]);
    expect(await settled(stack, 'no-repo')).toMatchObject({
      phase: 'failed',
      reason: expect.stringContaining(`repository ${gone} is not there`),
      undelivered: ['x'],
    });
    expect(await settled(stack, 'no-branch')).toMatchObject({
      phase: 'failed',
      reason: expect.stringContaining(`branch "nowhere" is not in ${stack.sample.origin} (push the branch`),
    });
    await expectRefusalInProcess(['spawn', 'bad-repo', 'x', '--repo', 'nonsense'], {
      exitCode: 2,
      message: /^clone URL "nonsense" is not valid/,
    });
    await expectRefusalInProcess(['spawn', 'bad-repo', 'x', '--repo', 'https://jane:hunter2@git.example.com/x'], {
      exitCode: 2,
      message: /^clone URL "https:\/\/git\.example\.com\/x" carries credentials/,
    });
    await expectRefusalInProcess(['spawn', 'bad-branch', 'x', '--branch', 'a..b'], {
      exitCode: 2,
      message: 'branch "a..b" is not a valid branch name',
    });
  }, 180_000);
});

describe('large and hostile texts', () => {
  it('the model gets all of a 1 MB prompt, and a 5 MB tool result is shortened only in the log', async () => {
    // Split into words below 128 KiB, Linux's limit for one argument.
    const words = Array.from({ length: 10 }, (_, word) =>
      Array.from({ length: 10_000 }, (_, index) => `n${String(word)}-${String(index).padStart(7, '0')}`).join(' '),
    );
    const prompt = words.join(' ');
    expect(prompt.length).toBeGreaterThan(1_000_000);
    const steps = scripted('', bash("head -c 5000000 /dev/zero | tr '\\0' x"), { text: 'read it all' });
    await stack.murmur(['spawn', 'large', ...words, steps], { cwd: stack.directory });
    const status = await settled(stack, 'large');
    expect(status).toMatchObject({ phase: 'idle', response: 'read it all' });
    const asked = await stack.model.waitForRequest(({ messages }) =>
      messages.some(({ text }) => text.includes(prompt)),
    );
    expect(asked.step).toBe(0);
    const [result] = ofType(await eventLog(stack, 'large'), 'tool_result');
    expect(result?.text.length).toBeLessThanOrEqual(16_384);
    expect(result?.whole_bytes).toBeGreaterThanOrEqual(5_000_000);
  }, 180_000);

  it('control characters and invalid UTF-8 are never printed raw', async () => {
    const noise =
      "printf '\\033[2J\\033]0;title\\007\\233\\302\\2335n \\377\\376\\000 \\342\\200\\256txt.exe\\r over\\n'";
    const hostile = '\u001b[31mred\u001b]8;;http://evil.example\u0007\u009b6n\u202e\u0000';
    const prompt = scripted(`${hostile.replace('\0', '')} Make noise.`, bash(noise), { text: hostile });
    const purpose = '\u001b[2Jpurpose\u0007';
    await stack.murmur(['spawn', 'hostile', prompt, ...FAKE, '--purpose', purpose, '--task', '\u001b[1mtask']);
    await settled(stack, 'hostile');
    const client = await clientOf(stack);
    await client.call('task_update', { slug: 'hostile', task_id: '1', status: 'done' });
    await client.call('session_stop', { slug: 'hostile' });
    const views = [
      ['session', 'watch', 'hostile'],
      ['watch', 'hostile'],
      ['status', 'hostile', '--timeline'],
      ['turns', 'hostile'],
      ['ls', '-a'],
      ['task', 'ls', 'hostile'],
      ['status', hostile.replace('\0', '')],
    ];
    for (const view of views.flatMap((args) => [args, [...args, '--json']])) {
      const bytes = await bytesOf(view);
      // Throws for invalid UTF-8.
      const text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
      expect({ view, raw: /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u202e]/.exec(text)?.[0] }).toEqual({ view });
    }
    expect((await bytesOf(['session', 'watch', 'hostile'])).toString()).toContain('␛[2J␛]0;title␇');
  }, 180_000);

  /** The unparsed output of the command. */
  async function bytesOf(args: readonly string[]): Promise<Buffer> {
    const options = { env: stack.env, extendEnv: false, reject: false, encoding: 'buffer', stdin: 'ignore' } as const;
    const { stdout, stderr } = await execa(process.execPath, [PROGRAM, ...args], options);
    return Buffer.concat([stdout, stderr]);
  }
});

describe('a corrupt journal tail', () => {
  it('is cut off: the runner restarts and the agent continues, without a lost event', async () => {
    await spawn('torn', scripted('First.', bash('echo before'), { text: 'first done' }), { model: FAKE_MODEL });
    await settled(stack, 'torn');
    const machine = await machineOf(stack, 'torn');
    const runner = await runnerOf(stack, machine);
    process.kill(runner, 'SIGKILL');
    await eventually('the runner is gone', async () => !(await isAlive(runner)));
    const journal = join(stack.home, 'machines', machine, 'runner', 'journal.jsonl');
    const whole = await readFile(journal, 'utf8');
    await appendFile(
      journal,
      Buffer.from('{"seq":9999,"at":"2026-01-01T00:00:00.000Z","event":{"type":"assi\xff\x00', 'latin1'),
    );
    const description = scripted('Second.', { text: 'second done' });
    await (await clientOf(stack)).call('queue_add', { slug: 'torn', description });
    await settled(stack, 'torn');
    expect(await statusOf(stack, 'torn')).toMatchObject({ response: 'second done', turn: { number: 2 } });
    expect((await readFile(journal, 'utf8')).startsWith(whole)).toBe(true);
    const entries = await expectWholeLog(stack, 'torn');
    expect(ofType(entries, 'turn_complete').map(({ response }) => response)).toEqual(['first done', 'second done']);
  }, 180_000);
});

describe('the API', () => {
  interface Answer {
    readonly status: number;
    readonly body: string;
  }

  /** A request like that of a browser or an unauthenticated client. */
  async function post(headers: Readonly<Record<string, string>>, slug = 'intruder'): Promise<Answer> {
    const { server } = await stack.record();
    const url = new URL('/v1/spawn', server?.url);
    const { promise, resolve, reject } = Promise.withResolvers<Answer>();
    const outgoing = request(
      url,
      { method: 'POST', headers: { 'content-type': 'application/json', ...headers } },
      (incoming) => {
        let body = '';
        incoming.setEncoding('utf8').on('data', (text: string) => (body += text));
        incoming.once('end', () => resolve({ status: incoming.statusCode ?? 0, body }));
      },
    );
    outgoing.once('error', reject);
    outgoing.end(JSON.stringify({ slug, description: 'x', model: 'fake-1' }));
    return promise;
  }

  it('refuses requests of a foreign page, with and without the token', async () => {
    const token = (await readFile(join(stack.home, 'token'), 'utf8')).trim();
    const bearer = { authorization: `Bearer ${token}` };
    const pages: readonly Readonly<Record<string, string>>[] = [
      { origin: 'https://evil.example' },
      { origin: 'null' },
      { host: 'evil.example' },
      { 'sec-fetch-site': 'cross-site' },
    ];
    for (const page of pages) {
      for (const headers of [page, { ...page, ...bearer }]) {
        const { status, body } = await post(headers);
        expect([headers, status]).toEqual([headers, 403]);
        expect(JSON.parse(body)).toMatchObject({ error: { code: 'PERMISSION_DENIED' } });
      }
    }
    // A request that a page can send without a CORS preflight.
    expect((await post({ ...bearer, 'content-type': 'text/plain' })).status).toBe(415);
    expect((await post({})).status).toBe(401);
    expect((await post({ authorization: 'Bearer guessed' })).status).toBe(401);
    const agents = await (await clientOf(stack)).call('ls', { all: true });
    expect(agents.map(({ slug }) => slug)).not.toContain('intruder');
  }, 180_000);

  it('refuses an invalid and a missing token; `murmur auth` recreates the token', async () => {
    const file = join(stack.home, 'token');
    for (const spoil of [() => writeFile(file, 'mur_wrong\n'), () => rm(file)]) {
      await spoil();
      await expectRefusal(['ls'], { exitCode: 3, message: /token/, hint: 'run `murmur auth`' });
      const mended = await stack.run(['auth']);
      expect(mended.exitCode).toBe(0);
      expect(mended.stderr).toContain(`repaired the token in ${file}`);
      expect((await stack.runInProcess(['ls'])).exitCode).toBe(0);
    }
  }, 180_000);

  it('executes a repeated request once', async () => {
    const token = (await readFile(join(stack.home, 'token'), 'utf8')).trim();
    const headers = { authorization: `Bearer ${token}`, 'idempotency-key': randomUUID() };
    const answers = [await post(headers, 'once'), await post(headers, 'once')];
    expect(answers.map(({ status }) => status)).toEqual([200, 200]);
    expect(answers[1]?.body).toBe(answers[0]?.body);
  }, 180_000);

  it('a command that is interrupted while the server is down ends', async () => {
    const { server } = (await stack.record()).children;
    const waiting = startProgram(stack, ['wait', 'once', '--phase', 'completed']);
    await waiting.shows('waiting until once is completed');
    process.kill(server?.pid ?? 0, 'SIGKILL');
    waiting.signal('SIGINT');
    expect((await waiting.ended).exitCode).toBe(130);
  }, 180_000);
});
