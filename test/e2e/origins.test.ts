// Origins that need a password or a key, several repositories, and none. Git uses the caller's credentials, which are
// never shown.
import { readdirSync, readFileSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { execa } from 'execa';
import { serveHttpOrigin } from '../runner/broker/http-origin.ts';
import { serveSshOrigin, sshdProblem } from '../runner/broker/ssh-origin.ts';
import { cleanUp } from '../runner/fixture.ts';
import { bash, scripted, settled as untilSettled, statusOf, type AgentStatus } from './fixtures/agent.ts';
import { eventLog, ofType } from './fixtures/log.ts';
import { startStack, type TestStack } from './fixtures/stack.ts';

/** Limit for several commands and a clone, on two slow cores. */
const TIMEOUT_MS = 180_000;
const FAKE = ['--model', 'fake-1'];
const PASSWORD = 'correct-horse-battery';
const WRONG_PASSWORD = 'wrong-horse-battery';
const WORK = [bash('echo work > work.txt && git add -A && git commit -qm "The work"'), bash('git push -q origin HEAD')];
const whenSshd = sshdProblem() === undefined ? it : it.skip;

let stack: TestStack;
let httpUrl: string;
let closedUrl: string;
let sshUrl: string;

beforeAll(async () => {
  stack = await startStack({ up: false });
  const caller = join(stack.directory, 'caller');
  await mkdir(caller);
  const { origin } = stack.sample;
  await execa('git', ['config', 'http.receivepack', 'true'], { cwd: origin });
  const open = await serveHttpOrigin(stack.directory, 'jane', PASSWORD);
  const closed = await serveHttpOrigin(stack.directory, 'jane', PASSWORD);
  httpUrl = `http://127.0.0.1:${String(open.port)}/price-list.git`;
  closedUrl = `http://127.0.0.1:${String(closed.port)}/price-list.git`;
  const logins = [
    `http://jane:${PASSWORD}@127.0.0.1%3a${String(open.port)}`,
    `http://jane:${WRONG_PASSWORD}@127.0.0.1%3a${String(closed.port)}`,
  ];
  await writeFile(join(caller, '.git-credentials'), `${logins.join('\n')}\n`, { mode: 0o600 });
  await writeFile(
    join(caller, '.gitconfig'),
    '[credential]\n\thelper = store\n[user]\n\tname = Jane Doe\n\temail = jane@example.com\n',
  );
  const ssh = sshdProblem() === undefined ? await serveSshOrigin(stack.directory) : undefined;
  sshUrl = `ssh://${ssh?.user ?? ''}@127.0.0.1:${String(ssh?.port ?? 0)}${origin}`;
  const env = {
    HOME: caller,
    // Keeps the cache, which has the Temporal binary.
    XDG_CACHE_HOME: process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'),
    ...(ssh === undefined ? {} : { GIT_SSH_COMMAND: ssh.command }),
  };
  await stack.murmur(['up'], { env });
}, TIMEOUT_MS);
afterAll(async () => {
  await stack[Symbol.asyncDispose]();
  await cleanUp();
}, TIMEOUT_MS);

/** Spawns an agent and waits until it idles. */
async function settled(slug: string, args: readonly string[]): Promise<AgentStatus> {
  const spawned = await stack.runInProcess(['spawn', slug, ...args], { cwd: stack.directory });
  expect(spawned).toMatchObject({ exitCode: 0 });
  await untilSettled(stack, slug);
  return statusOf(stack, slug);
}

/** `<author> <subject>` of the tip of the agent's branch on origin. */
async function tipOnOrigin(status: AgentStatus): Promise<string> {
  const branch = status.branches[0]?.branch ?? '';
  return (await execa('git', ['log', '-1', '--format=%an %s', branch], { cwd: stack.sample.origin })).stdout;
}

/** The content of all files of Murmur except its machines: logs, events, records, Temporal's database. */
function keptFiles(): readonly string[] {
  const files = readdirSync(stack.home, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  const paths = files.map(({ parentPath, name }) => join(parentPath, name));
  return paths.filter((path) => !path.startsWith(join(stack.home, 'machines')));
}

describe('an origin that needs a password', () => {
  it("is cloned and pushed to with the caller's credentials, and `out: push` is satisfied", async () => {
    const prompt = scripted('Work.', ...WORK, { text: 'It is pushed.' });
    const status = await settled('with-password', [prompt, '--repo', httpUrl, '--out', 'push']);
    expect(status).toMatchObject({ phase: 'idle', response: 'It is pushed.', commits: 1, turn: { number: 1 } });
    expect(status.branches).toMatchObject([{ repo: httpUrl, pushed: true }]);
    expect(status.timeline?.map(({ type }) => type)).toEqual(expect.arrayContaining(['commit', 'push']));
    expect(await tipOnOrigin(status)).toBe('Jane Doe The work');
  }, 180_000);

  it('refuses a wrong password: the reason names the repository, and no credential is shown or stored', async () => {
    const status = await settled('wrong-password', ['x', ...FAKE, '--repo', closedUrl]);
    expect(status.phase).toBe('failed');
    expect(status.reason).toContain(`git has no access to ${closedUrl}`);
    expect(status.reason).toContain('git ls-remote');
    const files = keptFiles();
    expect(files.length).toBeGreaterThan(5);
    for (const secret of [PASSWORD, WRONG_PASSWORD]) {
      expect(JSON.stringify(status)).not.toContain(secret);
      expect(files.filter((file) => readFileSync(file).includes(secret))).toEqual([]);
    }
  }, 180_000);
});

describe('an origin that needs an ssh key', () => {
  whenSshd(
    `is cloned and pushed to with the caller's key${sshdProblem() === undefined ? '' : ` (${String(sshdProblem())})`}`,
    async () => {
      const args = [scripted('Work.', ...WORK, { text: 'ok' }), ...FAKE, '--repo', sshUrl, '--out', 'push'];
      const status = await settled('with-key', args);
      expect(status).toMatchObject({ phase: 'idle', commits: 1, turn: { number: 1 }, branches: [{ pushed: true }] });
      expect(await tipOnOrigin(status)).toBe('Jane Doe The work');
    },
    TIMEOUT_MS,
  );
});

describe('repositories', () => {
  it('are accepted in all three forms, each on its working branch in its own directory', async () => {
    const bare = await makeOrigins('api.git', 'other/api.git', 'a+b@2.0~Ünicode.v1.git');
    const [plain = '', sameName = '', odd = ''] = bare;
    const look =
      'for d in */; do echo "$d $(git -C "$d" branch --show-current) $(git -C "$d" log -1 --format=%s)"; done';
    const args = [
      '--repo',
      plain,
      '--repo',
      `${sameName}=dev`,
      '--repo',
      `${odd}=dev:fix/x`,
      '--branch',
      'feature/all',
    ];
    const status = await settled('many', [scripted('Look.', bash(look), { text: 'ok' }), ...FAKE, ...args]);
    const [result] = ofType(await eventLog(stack, 'many'), 'tool_result');
    expect(result?.text.trim().split('\n').sort()).toEqual([
      'a+b@2.0~Ünicode.v1/ fix/x on dev',
      'api-2/ feature/all on dev',
      'api/ feature/all on main',
    ]);
    expect(status.branches.map(({ branch }) => branch).sort()).toEqual(['feature/all', 'feature/all', 'fix/x']);
  }, 180_000);

  it('none at all: the agent starts in an empty directory', async () => {
    const look = 'ls -A | wc -l; git rev-parse --is-inside-work-tree 2>&1 | grep -c "not a git repository"';
    const status = await settled('no-repository', [scripted('Look.', bash(look), { text: 'ok' }), ...FAKE]);
    const [result] = ofType(await eventLog(stack, 'no-repository'), 'tool_result');
    expect(result?.text.trim().split(/\s+/)).toEqual(['0', '1']);
    expect(status).toMatchObject({ phase: 'idle', branches: [], commits: 0 });
  }, 180_000);

  /** Bare repositories with the branches `main` and `dev`, whose newest commits have the branch's name. */
  async function makeOrigins(...names: readonly string[]): Promise<readonly string[]> {
    const seed = join(stack.directory, 'seed');
    const git = (...args: string[]) =>
      execa('git', ['-c', 'user.name=T', '-c', 'user.email=t@example.com', ...args], { cwd: seed });
    await mkdir(seed);
    await git('init', '--quiet', '--initial-branch=main');
    await git('commit', '--quiet', '--allow-empty', '-m', 'on main');
    await git('checkout', '--quiet', '-b', 'dev');
    await git('commit', '--quiet', '--allow-empty', '-m', 'on dev');
    await git('checkout', '--quiet', 'main');
    const paths = names.map((name) => join(stack.directory, 'origins', name));
    for (const path of paths) await git('clone', '--quiet', '--bare', seed, path);
    return paths;
  }
});
