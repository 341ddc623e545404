// Parses clone URLs the way git does. All repository names go through this parser. Pure.

export interface GitUrl {
  /**
   * `local` is a path or a `file:` URL. `other` is any scheme without credentials of ours, and any ambiguous URL.
   */
  readonly kind: 'http' | 'ssh' | 'local' | 'other';
  /** Scheme without the colon; `ssh` for the scp-like form, empty for a path. */
  readonly protocol: string;
  /** In lower case, with the brackets of an IPv6 address and a trailing dot; empty for a local path. */
  readonly host: string;
  readonly port: string;
  readonly user: string;
  readonly password: string;
  /** As written, with its percent-encoding. */
  readonly path: string;
}

const SCHEME = /^([a-z0-9][a-z0-9+.-]*):\/\//i;
/** A colon before the first slash, as in `git@host:path`. */
const SCP_LIKE = /^(?:([^/:[]*)@)?(\[[^\]/@]*\]|[^/:@]*):(.*)$/s;
const REMOTE_HELPER = /^[a-z0-9+.-]*::/i;
/** Schemes that a repository may be cloned over. */
const CLONED = ['https', 'http', 'ssh', 'git', 'file'];
const DEFAULT_PORTS: Readonly<Record<string, string>> = { http: '80', https: '443', ssh: '22', git: '9418' };
/** No percent sign: git decodes it before it finds the host, and curl afterwards. */
const HOST = /^(?:\[[0-9a-f:.]+\]|[^\s\p{Cc}[\]:%?#*@\\/.~-][^\s\p{Cc}[\]:%?#*@\\/]*)$/iu;
const USER = /^[\w.+~][\w.+~-]*$/;
/** Some servers cut a path segment there, and treat `..;` as `..`. */
const PARAMETERS = /;|%3b/i;
const HAS_PARAMETERS = 'is not valid: it holds ";" in its path, which servers read in different ways';
const NO_URL = { kind: 'local', protocol: '', host: '', port: '', user: '', password: '' } as const;

/** The parts of a clone URL. Never throws: a text that is not a URL is a local path. */
export function parseGitUrl(url: string): GitUrl {
  const scheme = SCHEME.exec(url)?.[1];
  if (scheme !== undefined) return withScheme(scheme, url.slice(scheme.length + '://'.length));
  if (REMOTE_HELPER.test(url)) return { ...NO_URL, kind: 'other', path: url };
  const scp = SCP_LIKE.exec(url);
  if (scp === null) return { ...NO_URL, path: url };
  const [, user = '', host = '', path = ''] = scp;
  return { kind: 'ssh', protocol: 'ssh', host: lowerCase(host), port: '', user, password: '', path };
}

function withScheme(scheme: string, rest: string): GitUrl {
  const known = kindOf(scheme);
  const authority = authorityOf(rest);
  // Except for http, git decodes the authority: an encoded "@" or "/" changes host and path.
  const kind = known !== 'http' && authority.includes('%') ? 'other' : known;
  const path = pathIn(rest);
  // Git ignores the authority.
  if (kind === 'local') return { ...NO_URL, protocol: scheme, path };
  const at = authority.lastIndexOf('@');
  const [user = '', ...password] = authority.slice(0, Math.max(at, 0)).split(':');
  const place = authority.slice(at + 1);
  const [, host = place, port = ''] = /^(\[[^\]]*\]|[^:]*)(?::(\d*))?$/.exec(place) ?? [];
  return {
    kind,
    protocol: lowerCase(scheme),
    host: lowerCase(host),
    port,
    user: decode(user),
    password: decode(password.join(':')),
    path,
  };
}

/**
 * Why git, or a program that it starts, could read the URL differently than it looks, as the predicate of a sentence;
 * undefined for a valid URL. The text contains nothing of the URL except its scheme.
 */
export function gitUrlProblem(url: string): string | undefined {
  // A local path may contain a space; a URL may not.
  const forbidden = url.startsWith('/') ? /[\p{Zl}\p{Zp}\p{Cc}]/u : /[\s\p{Cc}]/u;
  if (forbidden.test(url)) return 'is not valid: it holds a space or a control character';
  if (url.startsWith('-')) return 'is not valid: it begins with "-"';
  if (url.startsWith('/')) return undefined;
  const scheme = SCHEME.exec(url)?.[1];
  if (scheme !== undefined) return schemeProblem(scheme, url);
  if (url.includes('::') && !url.includes('[')) return 'is not valid: remote helpers are not allowed';
  const { kind, user, host, path } = parseGitUrl(url);
  if (PARAMETERS.test(path)) return HAS_PARAMETERS;
  const isScp = kind === 'ssh' && (user === '' ? !url.startsWith('@') : USER.test(user)) && HOST.test(host);
  if (isScp && /^[^:]+$/.test(path)) return undefined;
  return 'is not valid: use https://…, ssh://…, user@host:path or an absolute path';
}

function schemeProblem(scheme: string, url: string): string | undefined {
  // Git knows its schemes in lower case only. For any other name it starts a helper program.
  if (!CLONED.includes(scheme)) return `is not valid: git does not clone over "${scheme}:" here`;
  const rest = url.slice(scheme.length + '://'.length);
  const authority = authorityOf(rest);
  if (authority.includes('\\')) return 'is not valid: it holds a backslash before its path';
  if (authority.split('@').length > 2) return 'is not valid: it holds a second "@" before its path';
  if (scheme === 'file') return fileProblem(authority, rest);
  const { host, port, user, password, path } = parseGitUrl(url);
  // Temporal's history would contain them in the clear until its retention ends.
  if (password !== '' || (authority.includes('@') && scheme.startsWith('http'))) {
    return "carries credentials: leave them out and let git's credential helper answer";
  }
  if (authority.includes('%')) return 'is not valid: it has percent-encoding before its path';
  const userIsRight = authority.includes('@') ? scheme === 'ssh' && USER.test(user) : true;
  if (!userIsRight) return 'is not valid: its user is not one that git can use';
  if (host === '') return 'is not valid: it names no host';
  if (!HOST.test(host)) return 'is not valid: its host is not one that git can use';
  if (PARAMETERS.test(path)) return HAS_PARAMETERS;
  return Number(port) > 65_535 ? 'is not valid: its port is above 65535' : undefined;
}

function fileProblem(authority: string, rest: string): string | undefined {
  if (authority !== '' && authority !== 'localhost') return 'is not valid: write file:///… for a path on this host';
  if (decoded(rest) === undefined) return 'is not valid: its percent-encoding is not valid UTF-8';
  if (!rest.includes('/')) return 'is not valid: it names no path';
  return /\p{Cc}/u.test(decode(rest)) ? 'is not valid: it holds a control character' : undefined;
}

/** The URL for display and storage: without its password, and for http without its user, which can be a token. */
export function redactUrl(url: string): string {
  const { kind, user, password } = parseGitUrl(url);
  if (user === '' && password === '') return url;
  if (kind === 'http') return url.replace(/:\/\/[^/]*@/, '://');
  return password === '' ? url : url.replace(/:\/\/[^/]*@/, `://${user}@`);
}

/** A text, such as git's error output, without the credentials in its URLs. */
export function redactUrls(text: string): string {
  return text.replaceAll(/(https?:\/\/)[^/\s'"]+@/gi, '$1').replaceAll(/(\w+:\/\/[^/:@\s'"]+):[^/\s'"]+@/g, '$1@');
}

/** Path on this host of a local URL. Git decodes the path of a `file:` URL, but not a plain path. */
export function pathOnHost({ protocol, path }: GitUrl): string {
  return protocol === 'file' ? decode(path) : path;
}

/** The same path, absolute and without `.` and `..`. Symbolic links are not resolved. */
export function localPath(url: GitUrl): string {
  const kept: string[] = [];
  for (const segment of pathOnHost(url).split('/')) {
    if (segment === '..') kept.pop();
    else if (segment !== '' && segment !== '.') kept.push(segment);
  }
  return `/${kept.join('/')}`;
}

/**
 * Whether both URLs name the same remote repository: same scheme, host, port (by default the scheme's), ssh user, and
 * path with or without `.git`. False for local repositories, which have to be compared by their real paths.
 */
export function isSameRemote(one: string, other: string): boolean {
  const key = remoteKey(parseGitUrl(one));
  return key !== undefined && key === remoteKey(parseGitUrl(other));
}

function remoteKey(url: GitUrl): string | undefined {
  if (url.kind === 'local' || url.host === '') return undefined;
  const user = url.kind === 'ssh' ? url.user : '';
  return JSON.stringify([schemeOf(url), user, placeOf(url), repositoryPath(url.path, user)]);
}

/**
 * The normalized path of a remote repository, without a trailing slash or `.git`. For user `git`, a forge's, a leading
 * slash makes no difference. For other users, a path without one is relative to their home.
 * @param user of ssh; empty for other schemes
 */
export function repositoryPath(path: string, user: string): string {
  const bare = path.replace(/\/+$/, '').replace(/([^/])\.git$/, '$1');
  return user === 'git' ? bare.replace(/^\//, '') : bare;
}

/** Whether both are on the same http server: same host and port, or a change from http to https on default ports. */
export function isSameServer(from: string, to: string): boolean {
  const [one, other] = [parseGitUrl(from), parseGitUrl(to)];
  if (one.kind !== 'http' || other.kind !== 'http' || one.host !== other.host) return false;
  if (one.protocol === other.protocol) return placeOf(one) === placeOf(other);
  // Not from https to http: credentials for https must not be sent in the clear.
  return one.protocol === 'http' && placeOf(one) === `${one.host}:80` && placeOf(other) === `${other.host}:443`;
}

/** Scheme of a URL; `ssh` for all its spellings. */
export function schemeOf({ kind, protocol }: GitUrl): string {
  return kind === 'ssh' ? 'ssh' : protocol;
}

/** Host and port; by default the scheme's port. */
export function placeOf(url: GitUrl): string {
  const port = url.port === '' ? (DEFAULT_PORTS[schemeOf(url)] ?? '') : String(Number(url.port));
  return `${url.host}:${port}`;
}

function kindOf(scheme: string): GitUrl['kind'] {
  if (scheme === 'http' || scheme === 'https') return 'http';
  if (scheme === 'ssh' || scheme === 'git+ssh' || scheme === 'ssh+git') return 'ssh';
  return scheme === 'file' ? 'local' : 'other';
}

/** The part between the scheme and the first slash. */
function authorityOf(rest: string): string {
  return rest.split('/', 1)[0] ?? '';
}

function pathIn(rest: string): string {
  const slash = rest.indexOf('/');
  return slash < 0 ? '' : rest.slice(slash);
}

/** ASCII letters only: with other letters it would be a different host. */
export function lowerCase(text: string): string {
  return text.replaceAll(/[A-Z]/g, (letter) => letter.toLowerCase());
}

function decode(text: string): string {
  return decoded(text) ?? text;
}

/** Undefined if it is not valid UTF-8. Percent signs that encode nothing, and `%00`, are kept. */
function decoded(text: string): string | undefined {
  try {
    return text.replaceAll(/(?:%(?!00)[0-9a-f]{2})+/gi, (run) => decodeURIComponent(run));
  } catch {
    return undefined;
  }
}
