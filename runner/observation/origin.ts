// What origin itself says about a branch. Asked as the caller, with the spawn's own URL, since the agent may write
// anything into its checkout.
import { parseGitUrl } from '../../contract/wire/git-url.ts';
import { LOCAL_UPLOAD_PACK } from '../git/caller-git.ts';
import type { CallerGit } from '../git/caller-git.ts';

/** A turn's end waits for the answer: long enough for a slow host, short enough for a dead one. */
const ANSWER_TIMEOUT_MS = 15_000;

/** The commit of each branch on origin; a branch that is not there is missing. Undefined when origin does not answer. */
export async function originBranches(
  git: CallerGit,
  cloneUrl: string,
  branches: readonly string[],
): Promise<ReadonlyMap<string, string> | undefined> {
  const refs = branches.map((branch) => `refs/heads/${branch}`);
  try {
    const options = parseGitUrl(cloneUrl).kind === 'local' ? [`--upload-pack=${LOCAL_UPLOAD_PACK}`] : [];
    const { code, stdout } = await git.run(['ls-remote', ...options, '--', cloneUrl, ...refs], {
      timeoutMs: ANSWER_TIMEOUT_MS,
    });
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
