// The git history of the kept files: each stands for agents of an earlier build that may still be alive.
import { execa } from 'execa';

/** Folders of kept files, with a subfolder per build. */
export const KEPT_FOLDERS = ['histories', 'files'].map((name) => `test/replay/${name}`);

/** The first build whose agents every later build supports. */
export const FIRST_BUILD = 'b35f5f2';

/**
 * Kept files that were changed, deleted or renamed since that build, by a commit or in the work tree. Each is `<commit>
 * <what> <file>`. Throws if the history is not available.
 */
export async function changesOfKept(root: string, since: string = FIRST_BUILD): Promise<readonly string[]> {
  await assertWholeHistory(root, since);
  // Follows both sides of a merge, and includes changes made by the merge itself. A rename counts as a deletion.
  const log = ['log', '-m', '--full-history', '--format=commit %h', `${since}..HEAD`];
  const committed = (await git(root, ...log, ...CHANGES)).split('\n');
  const uncommitted = (await git(root, 'diff', 'HEAD', ...CHANGES)).split('\n');
  return [...named(committed), ...named(['commit work-tree', ...uncommitted])];
}

/** Whether the commit is an ancestor of HEAD. */
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
  const hint = 'it shows whether a kept file was changed; run `git fetch --unshallow`, or in CI check out all commits';
  if ((await git(root, 'rev-parse', '--is-shallow-repository')).trim() !== 'false')
    throw new Error(`this clone is shallow, but the whole history is needed: ${hint}`);
  if (!(await isInHistory(root, since)))
    throw new Error(`commit ${since} is not in the history, but the whole history is needed: ${hint}`);
}

async function git(root: string, ...args: readonly string[]): Promise<string> {
  const { stdout } = await execa('git', args, { cwd: root });
  return stdout;
}
