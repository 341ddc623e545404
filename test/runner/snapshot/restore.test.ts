import { afterEach, describe, expect, it } from '@jest/globals';
import { cpSync, lstatSync, readFileSync, readdirSync, readlinkSync, rmSync } from 'node:fs';
import path from 'node:path';
import { bash, cleanUp, git, openRequest, runTurn, startRunner } from '../fixture.ts';
import { DIRTY, SESSION, workAndCapture } from './fixture.ts';
import type { Worked } from './fixture.ts';

afterEach(cleanUp);

/** Everything that a restore promises: refs, HEAD, index, files with modes, and the output of status. */
async function stateOf(cwd: string): Promise<object> {
  const files = readdirSync(cwd, { recursive: true, withFileTypes: true })
    .filter((entry) => !entry.isDirectory() && !`${entry.parentPath}/`.startsWith(`${cwd}/.git/`))
    .map((entry) => {
      const file = path.join(entry.parentPath, entry.name);
      const content = entry.isSymbolicLink() ? readlinkSync(file) : readFileSync(file, 'base64');
      return [path.relative(cwd, file), (lstatSync(file).mode & 0o111) !== 0, content];
    })
    .sort();
  return {
    files,
    refs: await git(cwd, 'for-each-ref', '--format=%(objectname) %(refname)', 'refs/heads', 'refs/tags', 'refs/stash'),
    head: await git(cwd, 'symbolic-ref', 'HEAD').catch(() => 'detached'),
    commit: await git(cwd, 'rev-parse', 'HEAD').catch(() => 'none'),
    index: await git(cwd, 'ls-files', '-s'),
    status: await git(cwd, 'status', '--porcelain=v2', '--branch', '--untracked-files=all'),
  };
}

/** Removes the machine and restores it at the same path. Returns the state before and after. */
async function loseAndRestore({ folder, origin, runner, cwd, reply }: Worked) {
  const before = await stateOf(cwd);
  const kept = path.join(folder, 'kept');
  cpSync(reply.directory, kept, { recursive: true });
  await runner.served.stop();
  for (const each of ['runner', 'home', 'work', 'run']) rmSync(path.join(folder, each), { recursive: true });
  const again = await startRunner({ folder });
  const repos = [{ clone_url: origin, branch: 'work' }];
  const opened = await again.client.open(openRequest({ session_id: SESSION, repos, restore: kept }));
  return { before, after: await stateOf(cwd), opened, again };
}

describe('a snapshot that is restored', () => {
  it.each([
    ['a clean checkout', 'true'],
    ['commits that were not pushed', 'git commit -q --allow-empty -m 1; echo > f; git add f; git commit -qm 2'],
    ['staged, changed, deleted, untracked, executable and linked files', DIRTY.join('; ')],
    ['both', `git commit -q --allow-empty -m 1; ${DIRTY.join('; ')}`],
    ['commits that were pushed', 'echo > f; git add f; git commit -qm 1; git push -q origin HEAD; echo > g'],
    [
      'other branches, tags and a stash',
      'echo > f; git add f; git stash -q; git branch side; git switch -qc a/b; git commit -q --allow-empty -m x; git tag -a -m t v1',
    ],
    [
      'a detached HEAD',
      'git commit -q --allow-empty -m 1; git switch -q --detach; git commit -q --allow-empty -m 2; echo > f',
    ],
    [
      'a merge with conflicts',
      'git switch -qc other; echo a > README.md; git commit -qam a; git switch -q work; echo b > README.md; git commit -qam b; git merge -q other || true',
    ],
    ['a branch without a parent', 'git switch -q --orphan root; echo > f; git add f; git commit -qm root; echo > g'],
    ['a removed default branch', 'git branch -D main'],
    ['a deleted work tree', 'git rm -rq .'],
  ])(
    'restores %s',
    async (_, command) => {
      const worked = await workAndCapture(command);
      const { before, after, opened } = await loseAndRestore(worked);
      expect(after).toEqual(before);
      expect(opened).toMatchObject({ cwd: worked.cwd, resumed: true });
    },
    60_000,
  );

  it('restores work on an origin without commits', async () => {
    const makeEmpty = async (folder: string): Promise<string> => {
      await git(folder, 'init', '-q', '--bare', 'project.git');
      return path.join(folder, 'project.git');
    };
    const worked = await workAndCapture('echo 1 > f; git add f; echo 2 > g', makeEmpty);
    const { before, after } = await loseAndRestore(worked);
    expect(after).toEqual(before);
  });

  it('continues the conversation, and the numbers of the old journal', async () => {
    const worked = await workAndCapture('true');
    const { again } = await loseAndRestore(worked);
    const { end_seq } = await runTurn(again, 't2', bash('true'));
    expect(end_seq).toBeGreaterThan(worked.reply.seq);
    for await (const batch of again.client.events(0, AbortSignal.timeout(30_000))) {
      expect(batch[0]?.seq).toBe(worked.reply.seq + 1);
      expect(batch.find(({ event }) => event.type === 'session_start')?.event ?? { resumed: true }).toMatchObject({
        resumed: true,
      });
      break;
    }
  });

  it('is rejected with a reason when origin no longer has its base commits', async () => {
    const worked = await workAndCapture('git commit -q --allow-empty -m mine');
    const other = path.join(worked.folder, 'other');
    await git(worked.folder, 'init', '-q', '-b', 'main', other);
    await git(other, 'commit', '-q', '--allow-empty', '-m', 'all new');
    rmSync(worked.origin, { recursive: true });
    await git(worked.folder, 'clone', '-q', '--bare', other, worked.origin);
    await expect(loseAndRestore(worked)).rejects.toMatchObject({
      code: 'FAILED_PRECONDITION',
      message: expect.stringContaining('no longer has the commits'),
    });
  });
});
