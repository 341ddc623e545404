// Runs git as the caller on a remote that an agent's spec names. Git then has the caller's credentials and can read the
// caller's disk, so it is limited to that remote.
import { pathToFileURL } from 'node:url';
import type { RepoSpec } from '../../contract/wire/agent.ts';
import { localPath, parseGitUrl, redactUrl } from '../../contract/wire/git-url.ts';
import { checkPlace } from '../repositories/check-place.ts';
import type { ChildOutput } from '../child-output.ts';
import { LOCAL_UPLOAD_PACK } from '../git/caller-git.ts';
import type { CallerGit, CallerGitOptions, ConfigEntry } from '../git/caller-git.ts';
import { effectiveUrls } from '../git/rewrite.ts';
import { REDIRECTED } from './clone-errors.ts';
import { movedTo } from './moved.ts';

type Remote = Pick<RepoSpec, 'clone_url' | 'real'>;

/** Clone URL → the URL to which the remote has moved. Queried once. */
const moved = new WeakMap<CallerGit, Map<string, string>>();

/**
 * Runs a git command on a remote. `command` gets the URL, and options for the program that serves it. Follows a remote
 * that has moved within its host. Throws FAILED_PRECONDITION when a repository on this host is no longer the one of the
 * spawn. Also throws as `CallerGit.run` does.
 */
export async function runOnRemote(
  git: CallerGit,
  remote: Remote,
  command: (url: string, options: readonly string[]) => readonly string[],
  options: CallerGitOptions,
): Promise<ChildOutput> {
  const named = remote.clone_url;
  if (git.remoteUploadPack !== undefined) return await runThrough(git, git.remoteUploadPack, named, command, options);
  await checkPlace(remote);
  const places = moved.get(git) ?? new Map<string, string>();
  moved.set(git, places);
  const run = async (url: string): Promise<ChildOutput> => {
    const isLocal = leadsToDisk(url, await git.config());
    const serving = isLocal ? [`--upload-pack=${LOCAL_UPLOAD_PACK}`] : [];
    return await git.run([...confined(isLocal), ...command(url, serving)], options);
  };
  const first = await run(places.get(named) ?? named);
  if (first.code === 0 || !REDIRECTED.test(first.stderr)) return first;
  const config = await git.config();
  const found = await movedTo(git, effectiveUrls(named, config)[0] ?? named);
  if (found === undefined) return first;
  const place = beforeRewriting(found, config);
  places.set(named, place);
  return await run(place);
}

/** Through the broker elsewhere, which has the access, checks places and follows redirects itself. */
async function runThrough(
  git: CallerGit,
  uploadPack: string,
  named: string,
  command: (url: string, options: readonly string[]) => readonly string[],
  options: CallerGitOptions,
): Promise<ChildOutput> {
  const isLocal = leadsToDisk(named, await git.config());
  const parsed = parseGitUrl(named);
  // Git looks for a plain path on its own disk, and hands a URL to the program that serves it.
  const url = parsed.kind === 'local' ? pathToFileURL(localPath(parsed)).href : named;
  const serving = isLocal ? [`--upload-pack=${uploadPack}`] : [];
  return await git.run([...confined(isLocal), ...command(url, serving)], options);
}

/**
 * A URL that `insteadOf` rewrites to this one with credentials, as on build servers; else the URL itself. So git adds
 * the credentials, and the command line does not show them.
 */
function beforeRewriting(url: string, config: readonly ConfigEntry[]): string {
  const shortcuts = config.flatMap(({ key, value }) => {
    const base = /^url\.(.*)\.insteadof$/s.exec(key)?.[1] ?? '';
    const plain = redactUrl(base);
    return base !== plain && url.startsWith(plain) ? [`${value}${url.slice(plain.length)}`] : [];
  });
  return shortcuts.find((each) => redactUrl(effectiveUrls(each, config)[0] ?? '') === url) ?? url;
}

function leadsToDisk(url: string, caller: readonly ConfigEntry[]): boolean {
  return [url, ...effectiveUrls(url, caller)].some((each) => parseGitUrl(each).kind === 'local');
}

/** Settings on the command line, which override the caller's. */
function confined(isLocal: boolean): readonly string[] {
  const settings = {
    // Otherwise a clone runs hooks of the caller's configuration.
    'core.hooksPath': '/dev/null',
    'protocol.ext.allow': 'never',
    'protocol.fd.allow': 'never',
    'protocol.file.allow': isLocal ? 'always' : 'never',
    // Git would request the caller's credentials for the target of a redirect and send all extra headers to it.
    'http.followRedirects': 'false',
    // Otherwise the remote can send git to other URLs for parts of a clone.
    'transfer.bundleURI': 'false',
  };
  return Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
}
