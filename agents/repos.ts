// Which repositories a new agent may clone. The machine clones with the owner's rights, so any URL would give access to
// any of the owner's repositories. A person may name any URL, an agent only the repositories that it was given.
import type { spawn } from '../contract/operations/spawn.ts';
import type { ParsedInputOf } from '../contract/operation.ts';
import { quoteValue } from '../contract/schema/quote.ts';
import type { AgentSpec, RepoSpec } from '../contract/wire/agent.ts';
import { MurmurError } from '../contract/wire/errors.ts';
import { isGranted } from '../contract/wire/git-grants.ts';
import { isSameRemote, parseGitUrl, pathOnHost, redactUrl } from '../contract/wire/git-url.ts';
import type { GitUrl } from '../contract/wire/git-url.ts';
import { parentOf, workflowIdOf } from '../contract/wire/identity.ts';
import type { AgentIdentity } from '../contract/wire/identity.ts';
import { findRepository, isBelow } from '../runner/repositories/local-repository.ts';
import type { Caller } from '../contract/wire/rights.ts';
import type { AgentPlatform } from './platform.ts';
import { addressOfIdentity } from './names.ts';
import type { AgentAddress } from './names.ts';
import { specOf } from './find.ts';

type SpawnInput = Pick<ParsedInputOf<typeof spawn>, 'repos' | 'allow_repos'>;
type Given = Pick<AgentSpec, 'repos' | 'allow_repos'>;
/** A repository in the form of a spec. */
type Named = Pick<RepoSpec, 'clone_url' | 'real'>;

/** Repositories that a refusal lists, for the model that reads it. */
const LISTED = 5;

export interface AgentRepos {
  /** In the order of the input. */
  readonly named: readonly Named[];
  /** Grants for the agent and its descendants: the parent's, and those of this call. */
  readonly allowed: readonly string[];
}

/**
 * The repositories of a spawn; local ones by their real path. Throws PERMISSION_DENIED for a repository that the
 * calling agent may not name. Throws INVALID_ARGUMENT for a local path below MURMUR_HOME, a bundle or a linked work
 * tree.
 */
export async function reposOf(
  platform: AgentPlatform,
  { identity }: AgentAddress,
  input: SpawnInput,
  { agent }: Caller,
): Promise<AgentRepos> {
  const parent = parentOf(identity);
  const readers = new Map<string, Promise<Given>>();
  const given = (of: AgentIdentity): Promise<Given> => {
    const id = workflowIdOf(of);
    const read = readers.get(id) ?? givenTo(platform, of);
    readers.set(id, read);
    return read;
  };
  const named =
    agent === undefined
      ? await Promise.all(input.repos.map((repo, at) => ofPerson(platform, repo.clone_url, at)))
      : await ofAgent(platform, input, agent, given);
  const inherited = parent === undefined ? [] : ((await given(parent)).allow_repos ?? []);
  return { named, allowed: [...new Set([...inherited, ...input.allow_repos])] };
}

async function givenTo(platform: AgentPlatform, identity: AgentIdentity): Promise<Given> {
  return (await specOf(platform, addressOfIdentity(identity))) ?? { repos: [] };
}

async function ofPerson(platform: AgentPlatform, cloneUrl: string, at: number): Promise<Named> {
  const url = parseGitUrl(cloneUrl);
  if (url.kind !== 'local') return { clone_url: cloneUrl };
  const path = pathOnHost(url);
  const found = await findRepository(path);
  const refuse = (why: string, hint: string): MurmurError =>
    new MurmurError('INVALID_ARGUMENT', `repository ${quoteValue(cloneUrl)} cannot be cloned: it ${why}`, {
      hint,
      details: { field: `repos[${String(at)}].clone_url` },
    });
  if (found !== undefined && 'problem' in found) throw refuse(found.problem, 'name the repository that it comes from');
  if (await isBelow(found?.path ?? path, platform.home)) {
    throw refuse("lies in Murmur's own folder", 'name a repository outside MURMUR_HOME');
  }
  // For a missing path, git reports the problem when it clones.
  return found === undefined ? { clone_url: cloneUrl } : localAt(found.path, url);
}

/** Requires each repository to be one of the agent's own or its root's, or allowed by a person. */
async function ofAgent(
  platform: AgentPlatform,
  { repos }: SpawnInput,
  agent: AgentIdentity,
  given: (of: AgentIdentity) => Promise<Given>,
): Promise<readonly Named[]> {
  if (repos.length === 0) return [];
  const root = { ...agent, path: agent.path.slice(0, 1) };
  const [its, roots] = await Promise.all([given(agent), given(root)]);
  const own = [...its.repos, ...roots.repos];
  return await Promise.all(
    repos.map(async ({ clone_url: cloneUrl }, at) => {
      const known = await permitted(platform, cloneUrl, own, its.allow_repos ?? []);
      if (known === undefined) throw denied(cloneUrl, at, own);
      return known;
    }),
  );
}

async function permitted(
  platform: AgentPlatform,
  cloneUrl: string,
  own: readonly RepoSpec[],
  grants: readonly string[],
): Promise<Named | undefined> {
  const url = parseGitUrl(cloneUrl);
  if (url.kind !== 'local') {
    const same = own.find((repo) => isSameRemote(repo.clone_url, cloneUrl));
    // The URL of the spec, not the agent's variant of it.
    if (same !== undefined) return { clone_url: same.clone_url };
    return isGranted(cloneUrl, grants) ? { clone_url: cloneUrl } : undefined;
  }
  const found = await findRepository(pathOnHost(url));
  if (found === undefined || 'problem' in found) return undefined;
  const places = await Promise.all(own.map(placeOf));
  if (!places.includes(found.path) || (await isBelow(found.path, platform.home))) return undefined;
  return localAt(found.path, url);
}

/**
 * Real path of a local repository. A path resolved at spawn is not resolved again: a later link would lead elsewhere.
 */
async function placeOf({ clone_url: cloneUrl, real }: RepoSpec): Promise<string | undefined> {
  const url = parseGitUrl(cloneUrl);
  if (url.kind !== 'local') return undefined;
  if (real === true) return pathOnHost(url);
  const found = await findRepository(pathOnHost(url));
  return found === undefined || 'problem' in found ? undefined : found.path;
}

/** The path in the form of the given URL. Git decodes the path of a URL. */
function localAt(path: string, { protocol }: GitUrl): Named {
  const encoded = path.replaceAll(/[%\s\p{Cc}]/gu, (sign) => encodeURIComponent(sign));
  return { clone_url: protocol === 'file' ? `file://${encoded}` : path, real: true };
}

/** The same error whether or not the repository exists. */
function denied(cloneUrl: string, at: number, own: readonly RepoSpec[]): MurmurError {
  const names = [...new Set(own.map((repo) => redactUrl(repo.clone_url)))].slice(0, LISTED);
  const listed = names.length === 0 ? 'it has none' : `name ${names.join(', ')}`;
  return new MurmurError(
    'PERMISSION_DENIED',
    `agents may not clone ${quoteValue(redactUrl(cloneUrl))}; allowed are this agent's own repositories, its root's, and what ` +
      'a person allowed with --allow-repo',
    {
      hint: `${listed}, or ask a person to allow it at the spawn of the root: --allow-repo <URL or host/path>`,
      details: { field: `repos[${String(at)}].clone_url` },
    },
  );
}
