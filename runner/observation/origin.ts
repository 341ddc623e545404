// What origin itself says about a branch. Asked as the caller, with the spawn's own URL, since the agent may write
// anything into its checkout.
import type { RepoSpec } from '../../contract/wire/agent.ts';
import type { CallerGit } from '../git/caller-git.ts';
import { runOnRemote } from '../workspace/caller-remote.ts';

/** A turn's end waits for the answer: long enough for a slow host, short enough for a dead one. */
const ANSWER_TIMEOUT_MS = 15_000;

/** The commit of each branch on origin; a branch that is not there is missing. Undefined when origin does not answer. */
export async function originBranches(
  git: CallerGit,
  remote: Pick<RepoSpec, 'clone_url' | 'real'>,
  branches: readonly string[],
): Promise<ReadonlyMap<string, string> | undefined> {
  const refs = branches.map((branch) => `refs/heads/${branch}`);
  try {
    const { code, stdout } = await runOnRemote(
      git,
      remote,
      (url, options) => ['ls-remote', ...options, '--', url, ...refs],
      {
        timeoutMs: ANSWER_TIMEOUT_MS,
      },
    );
    if (code !== 0) return undefined;
    const lines = stdout
      .toString('utf8')
      .split('\n')
      .map((line) => line.split('\t'));
    return new Map(
      lines.flatMap(([sha = '', ref = '']) => (refs.includes(ref) ? [[ref.slice('refs/heads/'.length), sha]] : [])),
    );
  } catch {
    return undefined;
  }
}
