// Queries origin for its branches, as the caller and with the URL of the spawn: the agent can change everything in its
// checkout.
import type { RepoSpec } from '../../contract/wire/agent.ts';
import type { CallerGit } from '../git/caller-git.ts';
import { runOnRemote } from '../workspace/caller-remote.ts';

/** The turn's end waits for the answer: long enough for a slow server, short enough for a dead one. */
const ANSWER_TIMEOUT_MS = 15_000;

/** The commit of each branch that exists on origin. Undefined when origin does not answer. */
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
