// Which repositories a new agent may clone. Its machine clones with the owner's rights, so that whoever may name any URL
// has every repository of the owner's: a person may, an agent may name what it has been given.
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
/** A repository as its spec names it. */
type Named = Pick<RepoSpec, 'clone_url' | 'real'>;

/** How many of an agent's repositories its refusal lists: a model reads them. */
const LISTED = 5;

export interface AgentRepos {
  /** In the order of the input. */
  readonly named: readonly Named[];
  /** Grants for the agents beneath it: its parent's, and those of this call. */
  readonly allowed: readonly string[];
}

/**
 * The repositories of a spawn, local ones by their real path. Throws PERMISSION_DENIED for one that an agent may not name,
 * and INVALID_ARGUMENT for a local one that nobody may: below MURMUR_HOME, a bundle, a linked work tree.
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
  // Git says what is wrong with a path that leads nowhere, when it clones.
  return found === undefined ? { clone_url: cloneUrl } : localAt(found.path, url);
}

/** Which of the agent's own repositories each one is, or that a person has allowed it. */
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
    // As it was given: what else the agent wrote is its own.
    if (same !== undefined) return { clone_url: same.clone_url };
    return isGranted(cloneUrl, grants) ? { clone_url: cloneUrl } : undefined;
  }
  const found = await findRepository(pathOnHost(url));
  if (found === undefined || 'problem' in found) return undefined;
  const places = await Promise.all(own.map(placeOf));
  if (!places.includes(found.path) || (await isBelow(found.path, platform.home))) return undefined;
  return localAt(found.path, url);
}

/** Where a repository lies; one that was resolved at spawn lies there for good, and a link in its place is another. */
async function placeOf({ clone_url: cloneUrl, real }: RepoSpec): Promise<string | undefined> {
  const url = parseGitUrl(cloneUrl);
  if (url.kind !== 'local') return undefined;
  if (real === true) return pathOnHost(url);
  const found = await findRepository(pathOnHost(url));
  return found === undefined || 'problem' in found ? undefined : found.path;
}

/** In the form in which it was named. Git decodes the path of a URL. */
function localAt(path: string, { protocol }: GitUrl): Named {
  const encoded = path.replaceAll(/[%\s\p{Cc}]/gu, (sign) => encodeURIComponent(sign));
  return { clone_url: protocol === 'file' ? `file://${encoded}` : path, real: true };
}

/** Says nothing of whether there is such a repository. */
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
