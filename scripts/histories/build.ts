// The build that histories are recorded with: a commit, and the code of it.
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';

const ROOT = join(import.meta.dirname, '..', '..');

/** What a history is made of: workflows, what they are told, and what activities answer. */
const CODE = ['workflows', 'contract/wire', 'activities', 'worker', 'package-lock.json'];

/** Digits of a commit that name a build. */
const SHORT = 7;

/** The commit's short name. Throws when the code here is not the commit's: a history would then be of no build. */
export async function recordedBuild(commit: string): Promise<string> {
  const short = (await git('rev-parse', `--short=${SHORT.toString()}`, `${commit}^{commit}`)).trim();
  const changed = await git('diff', '--name-only', short, '--', ...CODE);
  const added = await git('ls-files', '--others', '--exclude-standard', '--', ...CODE);
  const files = `${changed}${added}`.split('\n').filter((file) => file !== '');
  if (files.length === 0) return short;
  throw new Error(
    `the code here is not that of ${short}, as ${files.slice(0, 5).join(', ')} differ: check that commit out, or name ` +
      'the one whose code this is with --build',
  );
}

async function git(...args: readonly string[]): Promise<string> {
  const { stdout } = await promisify(execFile)('git', [...args], { cwd: ROOT });
  return stdout;
}
