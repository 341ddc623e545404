// Finds the URL to which an http remote redirects, for forges that move repositories or require `.git` at the end. Git
// itself is not used, because it would send the caller's credentials to any host.
import type { IncomingMessage } from 'node:http';
import { isSameServer, parseGitUrl, redactUrl } from '../../contract/wire/git-url.ts';
import type { HttpUpstream } from '../broker/access.ts';
import { HttpCredentials } from '../broker/http/credentials.ts';
import { headersForServer } from '../broker/http/headers.ts';
import { redirectedTo } from '../broker/http/redirect.ts';
import { httpSettings } from '../broker/http/settings.ts';
import { responseOf, Upstream } from '../broker/http/upstream.ts';
import type { CallerGit } from '../git/caller-git.ts';

/** Git's first request. */
const REFS = '/info/refs?service=git-upload-pack';
/** A forge redirects a few times at most: from http to https, to the new name, to the one with `.git`. */
const HOPS = 5;
/** A forge answers within a second. Git has already tried a remote that does not. */
const ANSWER_MS = 15_000;

/**
 * The URL to which the remote has moved within its host, without credentials. `url` is the one after `insteadOf`.
 * Undefined when the remote is not http, redirects to another host or not at all, or does not answer.
 */
export async function movedTo(git: CallerGit, url: string): Promise<string | undefined> {
  const { kind, user, password } = parseGitUrl(url);
  if (kind !== 'http' || !URL.canParse(url)) return undefined;
  const connections = new Upstream(git.env);
  // Nothing to scrub: the credentials are only used in a request of this process.
  const credentials = new HttpCredentials(git, () => undefined);
  const begin = redactUrl(url).replace(/\/+$/, '');
  const carried = user === '' && password === '' ? {} : { credential: { username: user, password } };
  let place: HttpUpstream = { url: begin, ...carried };
  let authorization: string | undefined;
  try {
    for (let hop = 0; hop < HOPS; hop += 1) {
      const answer = await ask(git, connections, place, authorization);
      if (answer?.statusCode === 401 && authorization === undefined) {
        authorization = (credentials.known(place) ?? (await credentials.fill(place, [])))?.header;
        if (authorization === undefined) break;
        continue;
      }
      const status = answer?.statusCode ?? 0;
      const target = redirectedTo(place.url, REFS, answer?.headers.location);
      if (status < 300 || status > 399 || target === undefined || !isSameServer(place.url, target)) break;
      place = { ...place, url: target };
    }
  } finally {
    connections.close();
  }
  return place.url === begin ? undefined : place.url;
}

/** The remote's answer; undefined when there is none. */
async function ask(
  git: CallerGit,
  connections: Upstream,
  place: HttpUpstream,
  authorization: string | undefined,
): Promise<IncomingMessage | undefined> {
  try {
    const url = new URL(`${place.url}${REFS}`);
    const settings = httpSettings(place, await git.config(), git.env);
    const headers = headersForServer({}, url, settings, authorization);
    const request = connections.begin({ method: 'GET', url, headers, settings });
    request.setTimeout(ANSWER_MS, () => request.destroy(new Error('no answer')));
    request.end();
    const answer = await responseOf(request);
    answer.resume();
    return answer;
  } catch {
    return undefined;
  }
}
