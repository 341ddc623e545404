import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { repoOf } from '../../cli/overrides/spawn.ts';
import { CliHarness } from './harness.ts';

let cli: CliHarness;
let folder: string;

beforeAll(async () => {
  cli = await CliHarness.start();
  cli.answer('spawn', { body: { slug: 'a', workspace: 'default', path: 'p', phase: 'starting', vm: 'm' } });
});
afterAll(async () => {
  await cli.close();
});
beforeEach(() => {
  cli.calls.length = 0;
});

function git(cwd: string, ...args: string[]): string {
  const identity = ['-c', 'user.name=t', '-c', 'user.email=t@t', '-c', 'init.defaultBranch=main'];
  return execFileSync('git', [...identity, ...args], { cwd, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
}

describe('a repository on the command line', () => {
  it.each([
    ['https://h.example/a/b', { clone_url: 'https://h.example/a/b' }],
    ['https://h.example/a/b=main', { clone_url: 'https://h.example/a/b', base_branch: 'main' }],
    ['git@h.example:a/b=main:fix/x', { clone_url: 'git@h.example:a/b', base_branch: 'main', branch: 'fix/x' }],
    ['ssh://h.example/a?x=1=dev', { clone_url: 'ssh://h.example/a?x=1', base_branch: 'dev' }],
  ])('%s has three forms', (text, repo) => {
    expect(repoOf(text)).toEqual(repo);
  });

  it.each(['https://h.example/a=', 'https://h.example/a=main:'])('%s is refused: a branch is missing', (text) => {
    expect(() => repoOf(text)).toThrow(/names no branch/);
  });

  it('overrides the current directory, and can be repeated', async () => {
    await cli.run(['spawn', 'a', '--repo', 'https://h.example/x', 'do', '--repo', 'https://h.example/y=dev', 'it']);
    expect(cli.lastInput()).toMatchObject({
      slug: 'a',
      description: 'do it',
      repos: [{ clone_url: 'https://h.example/x' }, { clone_url: 'https://h.example/y', base_branch: 'dev' }],
    });
  });
});

describe('repositories that a person allows', () => {
  it.each(['spawn', 'each'])('are passed to `%s` by a repeatable flag', async (command) => {
    cli.answer('each', { body: { slugs: [], count: 0, workspace: 'default', failed: [] } });
    const flags = [
      '--allow-repo',
      'github.com/acme',
      '--allow-repo',
      'https://h.example/y',
      '--repo',
      'https://h.example/x',
    ];
    await cli.run([command, 'a-{}', 'do {}', ...flags], { stdin: 'one\n' });
    expect(cli.lastInput()).toMatchObject({ allow_repos: ['github.com/acme', 'https://h.example/y'] });
  });
});

describe('spawn in a git work tree', () => {
  let origin: string;
  let work: string;

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'murmur-spawn-'));
    origin = join(folder, 'origin.git');
    work = join(folder, 'work');
    git(folder, 'init', '--bare', origin);
    git(folder, 'clone', origin, work);
    writeFileSync(join(work, 'file'), 'x');
    git(work, 'add', '.');
    git(work, 'commit', '-m', 'first');
    git(work, 'push', '-u', 'origin', 'HEAD:main');
  });
  afterEach(() => {
    rmSync(folder, { recursive: true, force: true });
  });

  it('uses origin at the checked-out branch, from any subfolder', async () => {
    mkdirSync(join(work, 'deep'));
    const { code, stderr } = await cli.run(['spawn', 'a', 'x'], { cwd: join(work, 'deep') });
    expect(code).toBe(0);
    expect(stderr).toBe('');
    expect(cli.lastInput()['repos']).toEqual([{ clone_url: origin, base_branch: 'main' }]);
  });

  it('refuses an unpushed branch, with its name and the push command', async () => {
    git(work, 'checkout', '-b', 'feature/login');
    git(work, 'commit', '--allow-empty', '-m', 'more');
    const { code, stderr } = await cli.run(['spawn', 'a', 'x'], { cwd: work });
    expect(code).toBe(6);
    expect(stderr).toContain('branch feature/login is not on origin');
    expect(stderr).toContain('git push -u origin feature/login');
    expect(cli.calls).toEqual([]);
  });

  it('refuses unpushed commits', async () => {
    git(work, 'commit', '--allow-empty', '-m', 'more');
    const { code, stderr } = await cli.run(['spawn', 'a', 'x'], { cwd: work });
    expect(code).toBe(6);
    expect(stderr).toContain('branch main has commits that are not on origin');
  });

  it('asks the remote if the remote-tracking branch is out of date', async () => {
    git(work, 'update-ref', '-d', 'refs/remotes/origin/main');
    const { code } = await cli.run(['spawn', 'a', 'x'], { cwd: work });
    expect(code).toBe(0);
  });

  it('warns that the agent does not get uncommitted changes', async () => {
    writeFileSync(join(work, 'file'), 'changed');
    const { code, stderr } = await cli.run(['spawn', 'a', 'x'], { cwd: work });
    expect(code).toBe(0);
    expect(stderr).toContain('uncommitted changes stay here');
  });

  it('refuses a detached HEAD and a work tree without origin', async () => {
    git(work, 'checkout', '--detach');
    expect((await cli.run(['spawn', 'a', 'x'], { cwd: work })).stderr).toContain('no branch is checked out');
    git(work, 'remote', 'remove', 'origin');
    const { code, stderr } = await cli.run(['spawn', 'a', 'x'], { cwd: work });
    expect(code).toBe(6);
    expect(stderr).toContain('no remote named origin');
  });

  it("removes credentials from origin's URL", async () => {
    git(work, 'remote', 'set-url', 'origin', 'https://user:secret@h.example/a/b');
    const { stderr } = await cli.run(['spawn', 'a', 'x'], { cwd: work });
    expect(cli.lastInput()['repos']).toEqual([{ clone_url: 'https://h.example/a/b', base_branch: 'main' }]);
    expect(stderr).toContain('credentials');
    expect(stderr).not.toContain('secret');
  });
});

describe('spawn elsewhere', () => {
  it('starts the agent without a repository, with a note', async () => {
    const { code, stderr } = await cli.run(['spawn', 'a', 'x']);
    expect(code).toBe(0);
    expect(stderr).toContain('no git work tree');
    expect(cli.lastInput()['repos']).toEqual([]);
  });

  it('uses the model of murmur.yaml unless a flag names one', async () => {
    mkdirSync(join(cli.home, '.murmur'));
    writeFileSync(join(cli.home, '.murmur', 'murmur.yaml'), 'model: opus\nworkspace: back\n');
    await cli.run(['spawn', 'a', 'x']);
    expect(cli.lastInput()).toMatchObject({ model: 'opus', workspace: 'back' });
    await cli.run(['spawn', 'a', 'x', '--model', 'sonnet', '-w', 'front']);
    expect(cli.lastInput()).toMatchObject({ model: 'sonnet', workspace: 'front' });
    rmSync(join(cli.home, '.murmur'), { recursive: true });
  });

  it('sends each spawn with its own key, so that a retry creates no second agent', async () => {
    await cli.run(['spawn', 'a', 'x']);
    await cli.run(['spawn', 'b', 'x']);
    const keys = cli.calls.map(({ headers }) => headers['idempotency-key']);
    expect(new Set(keys).size).toBe(2);
  });
});

describe('spawn-time secrets', () => {
  const spawn = ['spawn', 'a', 'x'];

  it('are read from the environment, from stdin, or from the command line with a warning', async () => {
    const { stderr } = await cli.run([...spawn, '-e', 'ONE', '-e', 'TWO=-', '-e', 'THREE=c=d'], {
      env: { ONE: 'a' },
      stdin: 'b\n',
    });
    expect(cli.lastInput()['secrets']).toEqual({ ONE: 'a', TWO: 'b', THREE: 'c=d' });
    expect(stderr).toContain("the value of THREE stands in your shell's history");
    expect(stderr).not.toContain('c=d');
  });

  it('that are missing in the environment are named in the error', async () => {
    const { code, stderr } = await cli.run([...spawn, '-e', 'MISSING']);
    expect(code).toBe(2);
    expect(stderr).toContain('secret MISSING is not set in the environment');
  });

  it('cannot be read from stdin twice', async () => {
    const { code, stderr } = await cli.run([...spawn, '-e', 'A=-', '-e', 'B=-']);
    expect(code).toBe(2);
    expect(stderr).toContain('not both A and B');
  });
});
