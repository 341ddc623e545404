// The builds whose agents every later build takes over.
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';
import { ROOT } from '../../test/fixtures/program-under-test.ts';

/** Commits with a folder of kept histories, in alphabetical order. */
export async function keptBuilds(): Promise<readonly string[]> {
  const entries = await readdir(join(ROOT, 'test', 'replay', 'histories'), { withFileTypes: true });
  return entries
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => name)
    .toSorted();
}

/** The kept build with the latest commit. Throws if git does not have one of them. */
export async function newestKeptBuild(): Promise<string> {
  const builds = await keptBuilds();
  const { stdout } = await execa('git', ['rev-list', '--no-walk', '--max-count=1', ...builds], { cwd: ROOT });
  const newest = builds.find((build) => stdout.startsWith(build));
  if (newest === undefined) throw new Error(`git names ${stdout}, which is none of ${builds.join(', ')}`);
  return newest;
}
