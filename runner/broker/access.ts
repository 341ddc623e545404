// Which repositories the broker serves, and how the owner's git reaches them: those of the session and those that a
// person allowed.
import { isGranted } from '../../contract/wire/git-grants.ts';
import { isSameRemote, localPath, parseGitUrl, redactUrl, repositoryPath } from '../../contract/wire/git-url.ts';
import type { GitUrl } from '../../contract/wire/git-url.ts';
import type { ConfigEntry } from '../git/caller-git.ts';
import { effectiveUrls } from '../git/rewrite.ts';

export interface StoredCredential {
  readonly username: string;
  /** Empty when the owner's git has to supply it. */
  readonly password: string;
}

/** An http repository as the owner's git reaches it. */
export interface HttpUpstream {
  /** Without credentials. */
  readonly url: string;
  /** Credentials in the URL that the owner's git would use. */
  readonly credential?: StoredCredential;
}

/** How a URL of the session is rewritten. Both URLs are without credentials. */
export interface HttpRoute {
  readonly from: string;
  readonly to: string;
  /** Whether it applies to pushes only. */
  readonly isPush: boolean;
}

/** The parts of a command line with which git calls ssh. */
export interface SshAsked {
  readonly user: string;
  /** Without the brackets of an IPv6 address. */
  readonly host: string;
  readonly port: string;
  readonly path: string;
}

export class BrokerAccess {
  #config: readonly ConfigEntry[] = [];
  /** URLs of the session's repositories, rewritten as the owner's git does; with their credentials. */
  #urls: readonly string[] = [];
  #cloneUrls: readonly string[] = [];
  #grants: readonly string[] = [];

  /** From now on, serves exactly these: clone URLs, and grants as `isGranted` reads them. */
  serve(cloneUrls: readonly string[], grants: readonly string[], config: readonly ConfigEntry[]): void {
    this.#config = config;
    this.#cloneUrls = cloneUrls;
    this.#urls = [...new Set(cloneUrls.flatMap((url) => [url, ...effectiveUrls(url, config)]))];
    this.#grants = [...new Set(grants.flatMap((grant) => [grant, ...effectiveUrls(grant, config).map(redactUrl)]))];
  }

  /** How the URLs of the session that lead to http are rewritten: its repositories first, then its grants. */
  httpRoutes(): readonly HttpRoute[] {
    const asked = [...this.#cloneUrls, ...this.#grants.flatMap(grantedHttpUrl)];
    return asked.flatMap((url) => {
      const [fetched = url, pushed = fetched] = effectiveUrls(url, this.#config).map(redactUrl);
      const from = redactUrl(url);
      const routes = [
        { from, to: fetched, isPush: false },
        ...(pushed === fetched ? [] : [{ from, to: pushed, isPush: true }]),
      ];
      return routes.filter(({ to }) => parseGitUrl(to).kind === 'http' && URL.canParse(to));
    });
  }

  /** Directories on this host that are repositories of the session. */
  localPaths(): readonly string[] {
    return this.#urls
      .map(parseGitUrl)
      .filter(({ kind }) => kind === 'local')
      .map(localPath);
  }

  /** How the owner's git reaches this URL, which has no credentials; undefined for a URL that is not served. */
  upstream(asked: string): HttpUpstream | undefined {
    if (!this.#allowsRemote(asked)) return undefined;
    const rewritten = effectiveUrls(asked, this.#config).find((url) => redactUrl(url) === asked);
    const own = this.#urls.filter((url) => isSameRemote(url, asked));
    const [credential] = [...(rewritten === undefined ? [] : [rewritten]), ...own].flatMap(credentialOf);
    return { url: asked, ...(credential === undefined ? {} : { credential }) };
  }

  allowsSsh(asked: SshAsked): boolean {
    const isOwn = this.#urls.map(parseGitUrl).some((url) => url.kind === 'ssh' && isSameSsh(sshAsked(url), asked));
    return isOwn || sshUrls(asked).some((url) => isGranted(url, this.#grants));
  }

  allowsPath(directory: string): boolean {
    return this.localPaths().includes(directory);
  }

  #allowsRemote(asked: string): boolean {
    return this.#urls.some((url) => isSameRemote(url, asked)) || isGranted(asked, this.#grants);
  }
}

function credentialOf(url: string): readonly StoredCredential[] {
  const { user, password } = parseGitUrl(url);
  return user === '' && password === '' ? [] : [{ username: user, password }];
}

/** `host/path` covers https; a URL covers its own scheme. */
function grantedHttpUrl(grant: string): readonly string[] {
  const { kind, protocol } = parseGitUrl(grant);
  if (kind === 'http') return [grant];
  const isBare = kind === 'local' ? protocol === '' && /^[^/.~]/.test(grant) : /^[^/:@]+:\d+(?:\/|$)/.test(grant);
  return isBare ? [`https://${grant}`] : [];
}

/** How git calls ssh for this URL: it decodes a URL and removes the slash of a path that begins with `/~`. */
function sshAsked(url: GitUrl): SshAsked {
  const { user, port } = url;
  const host = url.host.replace(/^\[(.*)\]$/, '$1');
  return { user, host, port, path: url.path.replace(/^\/~/, '~') };
}

function isSameSsh(one: SshAsked, other: SshAsked): boolean {
  const key = ({ user, host, port, path }: SshAsked): string =>
    JSON.stringify([user, host.toLowerCase(), port === '' ? 22 : Number(port), repositoryPath(decoded(path), user)]);
  return key(one) === key(other);
}

/** The clone URLs for which git calls ssh like this. */
function sshUrls({ user, host, port, path }: SshAsked): readonly string[] {
  const place = `${user && `${user}@`}${host.includes(':') ? `[${host}]` : host}`;
  if (path.startsWith('/')) return [`ssh://${place}${port && `:${port}`}${path}`];
  return port === '' || port === '22' ? [`${place}:${path}`] : [];
}

function decoded(path: string): string {
  try {
    return decodeURIComponent(path);
  } catch {
    return path;
  }
}
