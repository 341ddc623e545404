// What git knows of the files that are kept for ever: each stands for agents of an earlier build that may still live.
import { execa } from 'execa';

/** Folders of kept files; those of a build are in a folder of its name. */
export const KEPT_FOLDERS = ['histories', 'files'].map((name) => `test/replay/${name}`);

/** The first build whose agents every later one takes over. */
export const FIRST_BUILD = 'b35f5f2';

/**
 * Kept files that a commit since that build, or the work tree, has changed, deleted or renamed: `<commit> <what> <file>`
 * each. Throws where the history is not there to be looked at.
 */
export async function changesOfKept(root: string, since: string = FIRST_BUILD): Promise<readonly string[]> {
  await assertWholeHistory(root, since);
  // Both sides of a merge are followed, and what a merge itself changed is seen. A rename is a deletion here.
  const log = ['log', '-m', '--full-history', '--format=commit %h', `${since}..HEAD`];
  const committed = (await git(root, ...log, ...CHANGES)).split('\n');
  const uncommitted = (await git(root, 'diff', 'HEAD', ...CHANGES)).split('\n');
  return [...named(committed), ...named(['commit work-tree', ...uncommitted])];
}

/** Whether the commit is part of this history. */
export async function isInHistory(root: string, commit: string): Promise<boolean> {
  const { exitCode } = await execa('git', ['merge-base', '--is-ancestor', commit, 'HEAD'], {
    cwd: root,
    reject: false,
  });
  return exitCode === 0;
}

const CHANGES = ['--no-renames', '--name-status', '--diff-filter=MDT', '--', ...KEPT_FOLDERS];

function named(lines: readonly string[]): readonly string[] {
  let commit = '';
  return lines.flatMap((line) => {
    if (line.startsWith('commit ')) commit = line.slice('commit '.length);
    else if (line !== '') return [`${commit} ${line.replace('\t', ' ')}`];
    return [];
  });
}

async function assertWholeHistory(root: string, since: string): Promise<void> {
  const hint =
    'it tells whether a kept file was changed: `git fetch --unshallow` gets it; in CI, check out with all commits';
  if ((await git(root, 'rev-parse', '--is-shallow-repository')).trim() !== 'false')
    throw new Error(`this clone is shallow, and the whole history is needed, as ${hint}`);
  if (!(await isInHistory(root, since)))
    throw new Error(`commit ${since} is not in the history, which is needed, as ${hint}`);
}

async function git(root: string, ...args: readonly string[]): Promise<string> {
  const { stdout } = await execa('git', args, { cwd: root });
  return stdout;
}
