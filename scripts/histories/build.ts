// The build that histories are recorded with: a commit and its code.
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';

const ROOT = join(import.meta.dirname, '..', '..');

/** The code that determines a history: workflows, their inputs, and the results of activities. */
const CODE = ['workflows', 'contract/wire', 'activities', 'worker', 'package-lock.json'];

/** Length of the abbreviated commit that names a build. */
const SHORT = 7;

/** The abbreviated commit. Throws if the code differs from the commit: the history would belong to no build. */
export async function recordedBuild(commit: string): Promise<string> {
  const short = (await git('rev-parse', `--short=${SHORT.toString()}`, `${commit}^{commit}`)).trim();
  const changed = await git('diff', '--name-only', short, '--', ...CODE);
  const added = await git('ls-files', '--others', '--exclude-standard', '--', ...CODE);
  const files = `${changed}${added}`.split('\n').filter((file) => file !== '');
  if (files.length === 0) return short;
  throw new Error(
    `the code differs from ${short} (${files.slice(0, 5).join(', ')}); check that commit out, or name the commit of ` +
      'this code with --build',
  );
}

async function git(...args: readonly string[]): Promise<string> {
  const { stdout } = await promisify(execFile)('git', [...args], { cwd: ROOT });
  return stdout;
}
