import { afterEach, describe, expect, it } from '@jest/globals';
import { existsSync, mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import type { RepoSpec } from '../../../contract/wire/agent.ts';
import {
  bash,
  callerEnv,
  cleanUp,
  git,
  makeFolder,
  makeOrigin,
  openRequest,
  runTurn,
  startRunner,
} from '../fixture.ts';
import type { TestRunner } from '../fixture.ts';

afterEach(cleanUp);

async function open(runner: TestRunner, ...repos: readonly RepoSpec[]): Promise<string> {
  return (await runner.client.open(openRequest({ repos }))).cwd;
}

describe('a workspace', () => {
  it('without a repository is an empty work folder', async () => {
    const runner = await startRunner();
    expect(await open(runner)).toBe(runner.paths.work);
    expect(readdirSync(runner.paths.work)).toEqual([]);
  });

  it("with one repository is its checkout, on a new branch at origin's default branch", async () => {
    const folder = makeFolder();
    const origin = await makeOrigin(folder);
    const runner = await startRunner({ folder });
    const cwd = await open(runner, { clone_url: `file://${origin}`, branch: 'murmur/a_b' });
    expect(cwd).toBe(path.join(runner.paths.work, 'project'));
    expect(await git(cwd, 'symbolic-ref', 'HEAD')).toBe('refs/heads/murmur/a_b');
    expect(await git(cwd, 'rev-parse', 'HEAD')).toBe(await git(origin, 'rev-parse', 'main'));
    expect(await git(cwd, 'status', '--porcelain')).toBe('');
    expect(await git(cwd, 'remote', 'get-url', 'origin')).toBe(`file://${origin}`);
  });

  it('with several repositories is their parent folder, with one directory each', async () => {
    const folder = makeFolder();
    mkdirSync(path.join(folder, 'other'));
    const [a, b] = [await makeOrigin(folder), await makeOrigin(path.join(folder, 'other'))];
    const runner = await startRunner({ folder });
    const cwd = await open(runner, { clone_url: a, branch: 'x' }, { clone_url: b, branch: 'y' });
    expect(cwd).toBe(runner.paths.work);
    expect(readdirSync(cwd).sort()).toEqual(['project', 'project-2']);
    expect(await git(path.join(cwd, 'project-2'), 'remote', 'get-url', 'origin')).toBe(b);
  });

  it('starts from the given base branch', async () => {
    const folder = makeFolder();
    const origin = await makeOrigin(folder);
    const seed = path.join(folder, 'seed');
    await git(folder, 'clone', '-q', origin, seed);
    await git(seed, 'commit', '-q', '--allow-empty', '-m', 'on release');
    await git(seed, 'push', '-q', 'origin', 'HEAD:release/1');
    const runner = await startRunner({ folder });
    const cwd = await open(runner, { clone_url: origin, base_branch: 'release/1', branch: 'work' });
    expect(await git(cwd, 'log', '-1', '--format=%s')).toBe('on release');
  });

  it('continues a working branch that exists on origin', async () => {
    const folder = makeFolder();
    const origin = await makeOrigin(folder);
    const seed = path.join(folder, 'seed');
    await git(folder, 'clone', '-q', origin, seed);
    await git(seed, 'commit', '-q', '--allow-empty', '-m', 'begun before');
    await git(seed, 'push', '-q', 'origin', 'HEAD:work');
    const runner = await startRunner({ folder });
    const cwd = await open(runner, { clone_url: origin, base_branch: 'main', branch: 'work' });
    expect(await git(cwd, 'log', '-1', '--format=%s')).toBe('begun before');
    expect(await git(cwd, 'rev-parse', '--abbrev-ref', 'work@{upstream}')).toBe('origin/work');
  });

  it.each(["it's a repo", 'übung', '-dash', 'a$(id)b', 'new\nline'])('accepts a repository named %j', async (name) => {
    const folder = makeFolder();
    const origin = await makeOrigin(folder, `${name}.git`);
    const runner = await startRunner({ folder });
    const cwd = await open(runner, { clone_url: origin, branch: 'work' });
    expect(readFileSync(path.join(cwd, 'README.md'), 'utf8')).toBe('# project\n');
    const { outcome } = await runTurn(runner, 't', bash('date > f && git add -A && git commit -qm c && git push -q'));
    expect(outcome.branches).toEqual([expect.objectContaining({ pushed: true })]);
  });

  it('accepts an origin without commits, and the first push', async () => {
    const folder = makeFolder();
    const origin = path.join(folder, 'empty.git');
    await git(folder, 'init', '-q', '--bare', origin);
    const runner = await startRunner({ folder });
    const cwd = await open(runner, { clone_url: origin, branch: 'work' });
    expect(await git(cwd, 'symbolic-ref', 'HEAD')).toBe('refs/heads/work');
    const { outcome } = await runTurn(runner, 't', bash('date > f && git add -A && git commit -qm c && git push -q'));
    expect(outcome).toMatchObject({
      files_modified: ['f'],
      commits: [{ branch: 'work', subject: 'c' }],
      branches: [{ branch: 'work', pushed: true }],
    });
  });

  it('does not change a completed checkout', async () => {
    const folder = makeFolder();
    const origin = await makeOrigin(folder);
    const first = await startRunner({ folder });
    const request = openRequest({ repos: [{ clone_url: origin, branch: 'work' }] });
    const { cwd } = await first.client.open(request);
    writeFileSync(path.join(cwd, 'mine'), '');
    await first.served.stop();
    const second = await startRunner({ folder });
    await second.client.open(request);
    expect(existsSync(path.join(cwd, 'mine'))).toBe(true);
  });

  it('repeats a clone that was killed half-way', async () => {
    const folder = makeFolder();
    const origin = await makeOrigin(folder);
    const runner = await startRunner({ folder });
    const half = path.join(runner.paths.work, 'project');
    await git(folder, 'clone', '-q', '--no-checkout', origin, half);
    writeFileSync(path.join(half, 'rest'), '');
    mkdirSync(path.join(runner.paths.clones, 'project'), { recursive: true });
    const cwd = await open(runner, { clone_url: origin, branch: 'work' });
    expect(readdirSync(cwd).sort()).toEqual(['.git', '.gitignore', 'README.md']);
    expect(existsSync(path.join(runner.paths.clones, 'project'))).toBe(false);
  });

  it("does not change the owner or links of the origin's files", async () => {
    const folder = makeFolder();
    const origin = await makeOrigin(folder);
    const runner = await startRunner({ folder });
    const cwd = await open(runner, { clone_url: origin, branch: 'work' });
    expect(existsSync(path.join(cwd, '.git', 'objects', 'info', 'alternates'))).toBe(false);
    expect(await git(folder, 'clone', '-q', origin, 'again')).toBe('');
  });

  it('gives the agent the author and the rewritten URLs of the caller', async () => {
    const folder = makeFolder();
    const origin = await makeOrigin(folder);
    const home = path.join(folder, 'caller');
    mkdirSync(home);
    const config = `[user]\n\tname = "J \\"Q\\" Doe"\n\temail = j@example.com\n[url "${folder}/"]\n\tinsteadOf = short:\n`;
    writeFileSync(path.join(home, '.gitconfig'), config);
    const runner = await startRunner({ folder, env: callerEnv(home) });
    const cwd = await open(runner, { clone_url: 'short:project.git', branch: 'work' });
    await runTurn(runner, 't', bash('date > f && git add -A && git commit -qm c && git push -q origin HEAD'));
    expect(await git(cwd, 'log', '-1', '--format=%an <%ae>')).toBe('J "Q" Doe <j@example.com>');
    expect(await git(origin, 'log', '-1', '--format=%s', 'work')).toBe('c');
  });
});

describe('a workspace that cannot be made', () => {
  it('names a missing repository', async () => {
    const runner = await startRunner();
    await expect(open(runner, { clone_url: '/nowhere/at/all.git', branch: 'work' })).rejects.toMatchObject({
      code: 'NOT_FOUND',
      message: expect.stringContaining('/nowhere/at/all.git'),
    });
  });

  it('names a missing base branch', async () => {
    const folder = makeFolder();
    const origin = await makeOrigin(folder);
    const runner = await startRunner({ folder });
    const spec = { clone_url: origin, base_branch: 'gone', branch: 'work' };
    await expect(open(runner, spec)).rejects.toMatchObject({
      code: 'NOT_FOUND',
      message: `branch "gone" is not in ${origin}`,
    });
  });

  it('throws UNAVAILABLE for a host that does not answer, without the password', async () => {
    const runner = await startRunner();
    const spec = { clone_url: 'http://jane:correct-horse@127.0.0.1:1/r.git', branch: 'work' };
    const error = await open(runner, spec).catch((each: unknown) => each);
    expect(error).toMatchObject({ code: 'UNAVAILABLE' });
    expect(JSON.stringify(error) + String(error)).not.toContain('correct-horse');
  });

  it('names git when it is missing', async () => {
    const folder = makeFolder();
    const origin = await makeOrigin(folder);
    const runner = await startRunner({ folder, env: { PATH: '/nowhere', HOME: folder } });
    await expect(open(runner, { clone_url: origin, branch: 'work' })).rejects.toMatchObject({
      code: 'FAILED_PRECONDITION',
      message: expect.stringContaining('git is not installed'),
    });
  });

  it.each(['-x', 'a b', 'a..b', ''])('rejects %j as a branch', async (branch) => {
    const folder = makeFolder();
    const origin = await makeOrigin(folder);
    const runner = await startRunner({ folder });
    await expect(open(runner, { clone_url: origin, branch })).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
  });

  it('can be created once the cause is gone', async () => {
    const folder = makeFolder();
    const runner = await startRunner({ folder });
    const origin = path.join(folder, 'project.git');
    await expect(open(runner, { clone_url: origin, branch: 'work' })).rejects.toMatchObject({ code: 'NOT_FOUND' });
    await makeOrigin(folder);
    const cwd = await open(runner, { clone_url: origin, branch: 'work' });
    expect(existsSync(path.join(cwd, 'README.md'))).toBe(true);
  });
});
