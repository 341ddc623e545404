// The default repository of a `spawn`: the current directory's `origin`, at the checked-out and pushed branch. An agent
// clones from the remote, so it would not see unpushed work.
import { execFile } from 'node:child_process';
import { resolve } from 'node:path';
import { promisify } from 'node:util';
import { MurmurError } from '../../contract/wire/errors.ts';
import { parseGitUrl, redactUrl } from '../../contract/wire/git-url.ts';
import type { CliContext } from '../context.ts';

export interface RepoInput {
  readonly clone_url: string;
  readonly base_branch?: string;
  readonly branch?: string;
}

/** A remote that does not answer within this time would not serve a clone either, in milliseconds. */
const REMOTE_MS = 20_000;

/**
 * Returns no repository outside a git work tree. Throws FAILED_PRECONDITION without an `origin`, on a detached HEAD,
 * and for an unpushed branch, with the push command.
 */
export async function currentRepository(
  context: CliContext,
  note: (text: string) => void,
): Promise<readonly RepoInput[]> {
  const git = gitIn(context);
  const root = await git(['rev-parse', '--show-toplevel']);
  if (root === undefined) {
    note('this is no git work tree: the agent starts in an empty directory (--repo names a repository)');
    return [];
  }
  const url = await git(['remote', 'get-url', 'origin']);
  if (url === undefined) {
    throw refuse(
      'this repository has no remote named origin',
      'add one with `git remote add origin <url>`, or use --repo',
    );
  }
  const branch = await git(['symbolic-ref', '--quiet', '--short', 'HEAD']);
  if (branch === undefined)
    throw refuse('no branch is checked out here', 'check out a branch, or use --repo URL=branch');
  await requirePushed(git, branch);
  if ((await git(['status', '--porcelain'])) !== '') {
    note('uncommitted changes stay here: the agent sees what is pushed');
  }
  return [{ clone_url: cloneUrl(url, root, note), base_branch: branch }];
}

type Git = (args: readonly string[]) => Promise<string | undefined>;

/** Checks the remote-tracking branch first, and asks the remote only if that is behind. */
async function requirePushed(git: Git, branch: string): Promise<void> {
  const head = await git(['rev-parse', '--verify', '--quiet', 'HEAD']);
  if (head === undefined) throw unpushed(branch, 'has no commit yet');
  const isIn = async (remote: string): Promise<boolean> =>
    (await git(['merge-base', '--is-ancestor', head, remote])) !== undefined;
  if (await isIn(`refs/remotes/origin/${branch}`)) return;
  const listed = await git(['ls-remote', '--heads', 'origin', `refs/heads/${branch}`]);
  if (listed === undefined) {
    throw refuse(
      `cannot tell whether branch ${branch} is pushed: origin does not answer`,
      'run `git ls-remote origin` to see why',
    );
  }
  const remoteHead = listed.split(/\s/)[0] ?? '';
  if (remoteHead === '') throw unpushed(branch, 'is not on origin');
  if (remoteHead !== head && !(await isIn(remoteHead))) throw unpushed(branch, 'has commits that are not on origin');
}

function unpushed(branch: string, why: string): MurmurError {
  return refuse(`branch ${branch} ${why}: an agent clones from origin`, `run \`git push -u origin ${branch}\``);
}

function refuse(message: string, hint: string): MurmurError {
  return new MurmurError('FAILED_PRECONDITION', message, { hint });
}

/** Makes a path absolute and removes credentials, which the history would contain. */
function cloneUrl(url: string, root: string, note: (text: string) => void): string {
  const { kind, protocol } = parseGitUrl(url);
  if (kind === 'local' && protocol === '') return resolve(root, url);
  const bare = redactUrl(url);
  if (bare !== url)
    note("origin's URL contains credentials, which are left out; git's credential helper must provide them");
  return bare;
}

/** Runs git without prompts; undefined if it fails. */
function gitIn({ cwd, env, signal }: CliContext): Git {
  const settings = { cwd, signal, timeout: REMOTE_MS, env: { ...env, GIT_TERMINAL_PROMPT: '0', LC_ALL: 'C' } };
  return async (args) => {
    try {
      return (await promisify(execFile)('git', args, settings)).stdout.trim();
    } catch (error) {
      signal.throwIfAborted();
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') throw refuse('git is not on PATH', 'install git');
      return undefined;
    }
  };
}
