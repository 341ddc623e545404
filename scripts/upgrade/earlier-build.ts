// The code of an earlier commit, ready to run.
import { existsSync } from 'node:fs';
import { mkdir, readFile, rm, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';
import { ROOT } from '../../test/fixtures/program-under-test.ts';

export interface EarlierBuild {
  /** The abbreviated commit. */
  readonly commit: string;
  /** Its checkout. */
  readonly folder: string;
  /** The path of its `murmur`, run from the sources. */
  readonly program: string;
}

/** The longest download of packages that npm's cache lacks. */
const INSTALL_LIMIT_MS = 300_000;

/**
 * Checks the commit out into a folder below the given one, with the dependencies of its own lockfile. Uses the
 * dependencies of this checkout if the two lockfiles are equal. Throws if git does not have the commit.
 */
export async function earlierBuild(ref: string, parent: string): Promise<EarlierBuild> {
  const commit = await git('rev-parse', '--short=7', '--verify', `${ref}^{commit}`).catch((error: unknown) => {
    const hint = 'a shallow clone lacks earlier commits: `git fetch --unshallow` gets them';
    throw new Error(`git has no commit ${ref} to upgrade from; ${hint}`, { cause: error });
  });
  const folder = join(parent, `build-${commit}`);
  await rm(folder, { recursive: true, force: true });
  await mkdir(folder, { recursive: true });
  const archive = execa('git', ['archive', commit], { cwd: ROOT, encoding: 'buffer' });
  await archive.pipe('tar', ['-x', '-C', folder]);
  if (await hasSameLock(folder)) await symlink(join(ROOT, 'node_modules'), join(folder, 'node_modules'));
  else {
    const args = ['ci', '--prefer-offline', '--no-audit', '--no-fund'];
    await execa('npm', args, { cwd: folder, timeout: INSTALL_LIMIT_MS });
  }
  return { commit, folder, program: join(folder, 'bin', 'murmur.js') };
}

async function hasSameLock(folder: string): Promise<boolean> {
  if (!existsSync(join(ROOT, 'node_modules'))) return false;
  const [theirs, ours] = await Promise.all(
    [folder, ROOT].map((each) => readFile(join(each, 'package-lock.json'), 'utf8')),
  );
  return theirs === ours;
}

async function git(...args: readonly string[]): Promise<string> {
  return (await execa('git', args, { cwd: ROOT })).stdout.trim();
}
