import { afterEach, describe, expect, it } from '@jest/globals';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import type { RunnerTurnOutcome } from '../../../contract/wire/runner.ts';
import { bash, cleanUp, git, makeFolder, makeOrigin, openRequest, runTurn, startRunner } from '../fixture.ts';

afterEach(cleanUp);

/** Opens a session on a fresh repository; `turn` runs a command as a turn. */
async function begin() {
  const folder = makeFolder();
  const origin = await makeOrigin(folder);
  const runner = await startRunner({ folder });
  const { cwd } = await runner.client.open(openRequest({ repos: [{ clone_url: origin, branch: 'work' }] }));
  let number = 0;
  const turn = async (command: string): Promise<RunnerTurnOutcome> =>
    (await runTurn(runner, `t${++number}`, bash(`set -e; ${command}`))).outcome;
  return { folder, origin, cwd, turn, runner };
}

const subjects = (commits: RunnerTurnOutcome['commits']): readonly string[] => commits.map(({ subject }) => subject);

describe('files that a turn modified', () => {
  it('are changed files, tracked or untracked, but not ignored ones', async () => {
    const { turn } = await begin();
    const outcome = await turn('mkdir -p "a b" ignored; echo > "a b/ü.txt"; echo > ignored/x; echo more >> README.md');
    expect(outcome.files_modified).toEqual(['README.md', 'a b/ü.txt']);
    expect(outcome.branches).toEqual([expect.objectContaining({ dirty_files: 2, pushed: false })]);
  });

  it('are reported in the turn that changed them, if they are committed then or later', async () => {
    const { turn } = await begin();
    expect((await turn('echo > f')).files_modified).toEqual(['f']);
    expect((await turn('git add -A; git commit -qm f')).files_modified).toEqual([]);
    expect((await turn('rm f')).files_modified).toEqual(['f']);
    expect((await turn('true')).files_modified).toEqual([]);
  });

  it("are determined without changing the agent's index", async () => {
    const { turn, cwd } = await begin();
    await turn('echo > staged; git add staged; echo > untracked; echo x >> staged');
    expect(await git(cwd, 'status', '--porcelain')).toBe('AM staged\n?? untracked');
  });

  it('are found in a repository without commits', async () => {
    const { turn } = await begin();
    expect((await turn('git init -q inner; echo > f')).files_modified).toContain('f');
  });

  it('are at most a thousand', async () => {
    const { turn } = await begin();
    const outcome = await turn('for i in $(seq 1200); do echo > "f$i"; done');
    expect(outcome.files_modified).toHaveLength(1_000);
    expect(outcome.branches[0]?.dirty_files).toBe(1_200);
  });
});

describe('commits of a turn', () => {
  it('are reported oldest first, with branch and subject', async () => {
    const { turn, origin } = await begin();
    const outcome = await turn('for i in 1 2 3; do git commit -q --allow-empty -m "c $i"; done');
    expect(outcome.commits.map(({ repo, branch, subject }) => [repo, branch, subject])).toEqual([
      [origin, 'work', 'c 1'],
      [origin, 'work', 'c 2'],
      [origin, 'work', 'c 3'],
    ]);
  });

  it('include an amended one and rebased ones', async () => {
    const { turn } = await begin();
    await turn('git commit -q --allow-empty -m one; git commit -q --allow-empty -m two');
    expect(subjects((await turn('git commit -q --amend --allow-empty -m "two again"')).commits)).toEqual(['two again']);
    const rebase =
      'git rebase -q --keep-empty --root --exec "git commit -q --amend --allow-empty --no-edit --date=now"';
    expect(subjects((await turn(`export GIT_COMMITTER_DATE=2040-01-01T00:00:00Z; ${rebase}`)).commits)).toEqual(
      expect.arrayContaining(['one', 'two again']),
    );
  });

  it('include those on other branches and on a detached HEAD', async () => {
    const { turn } = await begin();
    const command =
      'git switch -q -c side; git commit -q --allow-empty -m side; git switch -q --detach; git commit -q --allow-empty -m loose';
    expect((await turn(command)).commits.map(({ branch, subject }) => [branch, subject])).toEqual([
      ['side', 'side'],
      ['HEAD', 'loose'],
    ]);
  });

  it('exclude fetched commits', async () => {
    const { folder, origin, turn } = await begin();
    const other = path.join(folder, 'other');
    await git(folder, 'clone', '-q', origin, other);
    await git(other, 'commit', '-q', '--allow-empty', '-m', "a colleague's");
    await git(other, 'push', '-q', 'origin', 'HEAD:main');
    const outcome = await turn('git pull -q --ff-only origin main; git commit -q --allow-empty -m mine');
    expect(subjects(outcome.commits)).toEqual(['mine']);
    expect(outcome.pushes).toEqual([]);
  });

  it('are reported once', async () => {
    const { turn } = await begin();
    await turn('git commit -q --allow-empty -m once');
    expect((await turn('git branch copy; git push -q origin HEAD')).commits).toEqual([]);
  });

  it('are at most a hundred, the newest', async () => {
    const { turn } = await begin();
    const { commits } = await turn('for i in $(seq 105); do git commit -q --allow-empty -m "c $i"; done');
    expect([commits.length, commits[0]?.subject, commits.at(-1)?.subject]).toEqual([100, 'c 6', 'c 105']);
  });
});

describe('pushes of a turn', () => {
  it('are reported with the commit on origin', async () => {
    const { turn, origin } = await begin();
    const outcome = await turn(
      'git commit -q --allow-empty -m c; git push -q origin HEAD; git push -q origin HEAD:copy',
    );
    const sha = await git(origin, 'rev-parse', 'work');
    expect(outcome.pushes.map((push) => [push.branch, push.sha, push.subject]).sort()).toEqual([
      ['copy', sha, 'c'],
      ['work', sha, 'c'],
    ]);
  });

  it('are noticed when they go to a URL, and when they follow in a later turn', async () => {
    const { turn, origin } = await begin();
    expect((await turn('git commit -q --allow-empty -m c')).branches[0]?.pushed).toBe(false);
    const outcome = await turn(`git push -q ${origin} HEAD:work`);
    expect(outcome).toMatchObject({ pushes: [{ branch: 'work', subject: 'c' }], branches: [{ pushed: true }] });
  });

  it('do not count when origin rejected them', async () => {
    const { turn, origin } = await begin();
    await git(origin, 'config', 'receive.hideRefs', 'refs/heads/work');
    const outcome = await turn('git commit -q --allow-empty -m c; git push -q origin HEAD || true');
    expect(outcome).toMatchObject({ pushes: [], branches: [{ pushed: false }] });
  });

  it('are not trusted from the checkout alone', async () => {
    const { turn } = await begin();
    const outcome = await turn('git commit -q --allow-empty -m c; git update-ref refs/remotes/origin/work HEAD');
    expect(outcome.branches).toEqual([expect.objectContaining({ branch: 'work', pushed: false })]);
  });
});

describe('an observation of a repository', () => {
  it('runs no programs of its configuration', async () => {
    const { turn, cwd } = await begin();
    await turn('git config core.fsmonitor "touch $PWD/../monitored"; git config core.hooksPath hooks; mkdir hooks');
    await turn('printf "#!/bin/sh\\ntouch $PWD/../hooked" > hooks/reference-transaction; chmod +x hooks/*');
    const { branches } = await turn('true');
    expect(branches).toHaveLength(1);
    expect(readFileSync(path.join(cwd, '.git', 'config'), 'utf8')).toContain('fsmonitor');
  });

  it('reports changes of a crashed turn in the next one', async () => {
    const { folder, origin, cwd, runner } = await begin();
    await git(cwd, 'commit', '-q', '--allow-empty', '-m', 'made while nobody looked');
    await runner.served.stop();
    const again = await startRunner({ folder });
    await again.client.open(openRequest({ repos: [{ clone_url: origin, branch: 'work' }] }));
    const { outcome } = await runTurn(again, 'later', bash('true'));
    expect(subjects(outcome.commits)).toEqual(['made while nobody looked']);
  });

  it('is skipped when the repository was removed, and the turn ends', async () => {
    const { turn } = await begin();
    expect(await turn('rm -rf .git')).toMatchObject({ status: 'completed', files_modified: [] });
  });
});
