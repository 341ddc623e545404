// Files recorded with an earlier build never change: its agents may still be alive.
import { describe, expect, it } from '@jest/globals';
import { mkdir, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { execa } from 'execa';
import { PACKAGE_ROOT } from '../../config/package.ts';
import { temporaryFolder } from '../drivers/temporary-folder.ts';
import { changesOfKept, FIRST_BUILD, isInHistory, KEPT_FOLDERS } from './kept-files.ts';

const FILE = 'test/replay/histories/abc1234/agent-1.json';

/** A repository with a kept file, and the commit before it. */
async function repository() {
  const folder = await temporaryFolder();
  const root = folder.path;
  const git = async (...args: readonly string[]): Promise<string> => {
    const identity = ['-c', 'user.name=tess', '-c', 'user.email=tess@example.com', '-c', 'commit.gpgsign=false'];
    return (await execa('git', [...identity, ...args], { cwd: root })).stdout;
  };
  const write = async (file: string, text: string): Promise<void> => {
    await mkdir(dirname(join(root, file)), { recursive: true });
    await writeFile(join(root, file), text);
  };
  const commit = async (subject: string): Promise<string> => {
    await git('add', '--all');
    await git('commit', '--quiet', '--message', subject);
    return (await git('rev-parse', '--short', 'HEAD')).trim();
  };
  await git('init', '--quiet', '--initial-branch=main');
  await write('README.md', 'one');
  const since = await commit('first');
  await write(FILE, '{"events":[]}');
  await write('test/replay/files/abc1234/stack.json', '[]');
  await commit('recorded');
  return { root, since, git, write, commit, [Symbol.asyncDispose]: () => folder[Symbol.asyncDispose]() };
}

describe('kept files', () => {
  it(`are neither changed nor deleted since ${FIRST_BUILD}`, async () => {
    expect(await changesOfKept(PACKAGE_ROOT)).toEqual([]);
  });

  it('have folders named after commits of this history', async () => {
    const lists = await Promise.all(
      KEPT_FOLDERS.map(async (folder) => {
        const entries = await readdir(join(PACKAGE_ROOT, folder), { withFileTypes: true });
        return entries.filter((entry) => entry.isDirectory()).map(({ name }) => name);
      }),
    );
    const builds = [...new Set(lists.flat())];
    expect(builds).toContain(FIRST_BUILD);
    for (const build of builds) expect([build, await isInHistory(PACKAGE_ROOT, build)]).toEqual([build, true]);
  });
});

describe('the check', () => {
  it('allows added files, and changes to other files', async () => {
    await using repo = await repository();
    await repo.write('test/replay/histories/abc1234/agent-2.json', '{}');
    await repo.write('README.md', 'two');
    await repo.commit('more');
    expect(await changesOfKept(repo.root, repo.since)).toEqual([]);
  });

  it('reports a changed file, even if it was changed back', async () => {
    await using repo = await repository();
    await repo.write(FILE, '{"events":[1]}');
    const changed = await repo.commit('recorded anew');
    await repo.write(FILE, '{"events":[]}');
    const restored = await repo.commit('as it was');
    expect(await changesOfKept(repo.root, repo.since)).toEqual([`${restored} M ${FILE}`, `${changed} M ${FILE}`]);
  });

  it('reports a renamed file, a deleted folder and uncommitted changes', async () => {
    await using repo = await repository();
    await rename(join(repo.root, FILE), join(repo.root, dirname(FILE), 'other.json'));
    const renamed = await repo.commit('renamed');
    await rm(join(repo.root, 'test/replay/files'), { recursive: true });
    expect(await changesOfKept(repo.root, repo.since)).toEqual([
      `${renamed} D ${FILE}`,
      'work-tree D test/replay/files/abc1234/stack.json',
    ]);
  });

  it('reports a change from a side branch or a merge', async () => {
    await using repo = await repository();
    await repo.git('checkout', '--quiet', '-b', 'side');
    await repo.write(FILE, '{"events":[2]}');
    const side = await repo.commit('changed beside');
    await repo.git('checkout', '--quiet', 'main');
    await repo.write('README.md', 'two');
    await repo.commit('meanwhile');
    await repo.git('merge', '--quiet', '--no-edit', '--strategy=ours', 'side');
    const changes = await changesOfKept(repo.root, repo.since);
    expect(changes).toContain(`${side} M ${FILE}`);
  });

  it('fails in a shallow clone and names the command that fetches the history', async () => {
    await using repo = await repository();
    await using folder = await temporaryFolder();
    const clone = join(folder.path, 'clone');
    await execa('git', ['clone', '--quiet', '--depth=1', `file://${repo.root}`, clone]);
    await expect(changesOfKept(clone, repo.since)).rejects.toThrow('git fetch --unshallow');
  });
});
