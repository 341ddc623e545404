// Where an http remote redirects to, for forges that move a repository or want `.git` at the end. Asked here instead of
// by git, which takes the caller's credentials along to any host.
import type { IncomingMessage } from 'node:http';
import { gitUrlProblem, isSameServer } from '../../contract/wire/git-url.ts';
import { HttpCredentials } from '../broker/http/credentials.ts';
import { headersForServer } from '../broker/http/headers.ts';
import { httpSettings } from '../broker/http/settings.ts';
import { responseOf, Upstream } from '../broker/http/upstream.ts';
import type { CallerGit } from '../git/caller-git.ts';

/** What git asks first. */
const REFS = '/info/refs?service=git-upload-pack';
/** A forge redirects once or twice: from http to https, to the new name, to the one with `.git`. */
const HOPS = 5;
/** A forge answers within a second; a remote that does not has been tried by git already. */
const ANSWER_MS = 15_000;

/** Where the remote has moved to on its own host; undefined when it leads elsewhere, nowhere or does not answer. */
export async function movedTo(git: CallerGit, url: string): Promise<string | undefined> {
  const connections = new Upstream(git.env);
  // They go into a request of this process, and nowhere else.
  const credentials = new HttpCredentials(git, () => undefined);
  const begin = url.replace(/\/+$/, '');
  let at = begin;
  let authorization: string | undefined;
  try {
    for (let hop = 0; hop < HOPS; hop += 1) {
      const answer = await ask(git, connections, at, authorization);
      if (answer?.statusCode === 401 && authorization === undefined) {
        authorization = (await credentials.fill({ url: at }, []))?.header;
        if (authorization === undefined) break;
        continue;
      }
      const status = answer?.statusCode ?? 0;
      const target = targetOf(at, answer?.headers.location);
      if (status < 300 || status > 399 || target === undefined) break;
      at = target;
    }
  } finally {
    connections.close();
  }
  return at === begin ? undefined : at;
}

/** Undefined when there is no answer. */
async function ask(
  git: CallerGit,
  connections: Upstream,
  at: string,
  authorization: string | undefined,
): Promise<IncomingMessage | undefined> {
  const url = new URL(`${at}${REFS}`);
  try {
    const settings = httpSettings(at, await git.config(), git.env);
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

/** The repository that a redirect leads to, when it is on the same server. */
function targetOf(url: string, location: string | undefined): string | undefined {
  if (location === undefined || !URL.canParse(location, `${url}${REFS}`)) return undefined;
  const { href } = new URL(location, `${url}${REFS}`);
  const target = href.endsWith(REFS) ? href.slice(0, -REFS.length) : undefined;
  if (target === undefined || gitUrlProblem(target) !== undefined || !isSameServer(url, target)) return undefined;
  return target;
}
