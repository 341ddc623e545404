// Whether a repository on the caller's disk is still the one of the spawn, asked before git reads it.
import type { RepoSpec } from '../../contract/wire/agent.ts';
import { MurmurError } from '../../contract/wire/errors.ts';
import { parseGitUrl, pathOnHost } from '../../contract/wire/git-url.ts';
import { findRepository } from './local-repository.ts';

/** Throws FAILED_PRECONDITION for a repository on this host that is not the one of the spawn any more. */
export async function checkPlace({ clone_url: cloneUrl, real }: Pick<RepoSpec, 'clone_url' | 'real'>): Promise<void> {
  if (real !== true) return;
  const path = pathOnHost(parseGitUrl(cloneUrl));
  const found = await findRepository(path);
  if (found === undefined || ('path' in found && found.path === path)) return;
  throw new MurmurError('FAILED_PRECONDITION', `repository ${cloneUrl} is not what it was when the agent was spawned`, {
    hint: 'there is a link or another kind of file in its place: spawn an agent on the repository that is meant',
    details: { clone_url: cloneUrl },
  });
}
