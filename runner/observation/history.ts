// Derives commits and pushes between two observations from the refs of a repository.
import type { Commit } from '../../contract/wire/turns.ts';
import type { RepositoryLook } from './look.ts';

/** Most commits that a turn reports. More are an import of history, not work. */
export const COMMIT_LIMIT = 100;

const LOCAL = 'refs/heads/';
const REMOTE = 'refs/remotes/';

/** Runs git in the repository; undefined for a failure. */
export type GitInRepository = (args: readonly string[], input?: string) => Promise<string | undefined>;

/**
 * Commits on local branches (or a detached HEAD) that no ref had at the last observation, oldest first. Amended and
 * rebased commits count as new; fetched commits do not count.
 */
export async function newCommits(
  git: GitInRepository,
  repo: string,
  before: RepositoryLook,
  after: RepositoryLook,
  fetched: readonly string[],
): Promise<readonly Commit[]> {
  const tips = Object.entries(after.refs)
    .filter(([ref, sha]) => ref.startsWith(LOCAL) && before.refs[ref] !== sha)
    .map(([ref]) => ref);
  if (after.branch === '' && after.head !== before.head) tips.push('HEAD');
  if (tips.length === 0) return [];
  const known = new Set([...Object.values(before.refs), before.head, ...fetched].filter((sha) => sha !== ''));
  const input = [...tips, ...[...known].map((sha) => `^${sha}`), ''].join('\n');
  const format = '--format=%H%x00%S%x00%s';
  const log = await git(
    // Old tips may have been pruned. Git ignores missing ones.
    ['log', '--ignore-missing', '--topo-order', `--max-count=${COMMIT_LIMIT}`, format, '--source', '--stdin'],
    input,
  );
  return (log ?? '')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => {
      const [sha = '', ref = '', subject = ''] = line.split('\0');
      return { repo, branch: ref.replace(/^refs\/heads\//, ''), sha, subject };
    })
    .reverse();
}

export interface RemoteMoves {
  /** Remote branches that a push moved or created. */
  readonly pushed: readonly { readonly branch: string; readonly sha: string }[];
  /** Tips that a fetch brought. */
  readonly fetched: readonly string[];
}

/** Distinguishes pushes from fetches by the reflog of each remote ref that moved. */
export async function remoteMoves(
  git: GitInRepository,
  before: RepositoryLook,
  after: RepositoryLook,
): Promise<RemoteMoves> {
  const moved = Object.entries(after.refs).filter(
    ([ref, sha]) => ref.startsWith(REMOTE) && !ref.endsWith('/HEAD') && before.refs[ref] !== sha,
  );
  const moves = await Promise.all(
    moved.map(async ([ref, sha]) => ({ ref, sha, isPush: await wasPushed(git, ref, before.refs[ref]) })),
  );
  return {
    pushed: moves
      .filter(({ isPush }) => isPush)
      .map(({ ref, sha }) => ({ branch: ref.slice(REMOTE.length).replace(/^[^/]*\//, ''), sha })),
    fetched: moves.filter(({ isPush }) => !isPush).map(({ sha }) => sha),
  };
}

/** A turn makes few entries. For a script that pushes in a loop, the last ones suffice. */
const REFLOG_ENTRIES = 50;

async function wasPushed(git: GitInRepository, ref: string, before: string | undefined): Promise<boolean> {
  const log = await git(['log', '--walk-reflogs', `--max-count=${REFLOG_ENTRIES}`, '--format=%H %gs', ref, '--']);
  const entries = (log ?? '').split('\n');
  const since = entries.findIndex((entry) => before !== undefined && entry.startsWith(before));
  return entries.slice(0, since < 0 ? undefined : since).some((entry) => entry.endsWith('update by push'));
}
