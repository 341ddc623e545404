// Where an http remote redirects to, for forges that move a repository or want `.git` at the end. Asked here instead of
// by git, which takes the caller's credentials along to any host.
import { gitUrlProblem, isSameServer, parseGitUrl } from '../../contract/wire/git-url.ts';
import type { CallerGit } from '../git/caller-git.ts';

/** What git asks first. */
const REFS = '/info/refs?service=git-upload-pack';
/** A forge redirects once or twice: from http to https, to the new name, to the one with `.git`. */
const HOPS = 5;
/** A forge answers within a second; a remote that does not has been tried by git already. */
const ANSWER_MS = 15_000;

/** Where the remote has moved to on its own host; undefined when it leads elsewhere, nowhere or does not answer. */
export async function movedTo(git: CallerGit, url: string): Promise<string | undefined> {
  let at = url.replace(/\/+$/, '');
  let authorization: string | undefined;
  for (let hop = 0; hop < HOPS; hop += 1) {
    const answer = await ask(at, authorization);
    if (answer?.status === 401 && authorization === undefined) {
      authorization = await authorizationFor(git, at);
      if (authorization === undefined) break;
      continue;
    }
    const target = targetOf(at, answer?.headers.get('location'));
    if (answer === undefined || answer.status < 300 || answer.status > 399 || target === undefined) break;
    at = target;
  }
  return at === url.replace(/\/+$/, '') ? undefined : at;
}

async function ask(url: string, authorization: string | undefined): Promise<Response | undefined> {
  try {
    const answer = await fetch(`${url}${REFS}`, {
      redirect: 'manual',
      headers: authorization === undefined ? {} : { authorization },
      signal: AbortSignal.timeout(ANSWER_MS),
    });
    await answer.body?.cancel();
    return answer;
  } catch {
    return undefined;
  }
}

/** The repository that a redirect leads to, when it is on the same server. */
function targetOf(url: string, location: string | null | undefined): string | undefined {
  if (location == null || !URL.canParse(location, `${url}${REFS}`)) return undefined;
  const { href } = new URL(location, `${url}${REFS}`);
  const target = href.endsWith(REFS) ? href.slice(0, -REFS.length) : undefined;
  if (target === undefined || gitUrlProblem(target) !== undefined || !isSameServer(url, target)) return undefined;
  return target;
}

/** What the caller's helpers answer for this very URL. */
async function authorizationFor(git: CallerGit, url: string): Promise<string | undefined> {
  const { protocol, host, port, path } = parseGitUrl(url);
  const place = port === '' ? host : `${host}:${port}`;
  const input = `protocol=${protocol}\nhost=${place}\npath=${path.replace(/^\//, '')}\n\n`;
  const { code, stdout } = await git.run(['credential', 'fill'], { input, timeoutMs: ANSWER_MS });
  const answer = new Map(
    stdout
      .toString('utf8')
      .split('\n')
      .map((line) => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)]),
  );
  const [username, password] = [answer.get('username'), answer.get('password')];
  if (code !== 0 || username === undefined || password === undefined) return undefined;
  return `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`;
}
