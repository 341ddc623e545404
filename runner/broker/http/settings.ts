// The owner's `http.*` settings for a URL, chosen as git chooses them. Imports nothing of Murmur but types.
import type { ConfigEntry } from '../../git/caller-git.ts';
import type { HttpUpstream } from '../access.ts';

/** The settings that the broker supports. The others of `http.*` concern git's own transfers. */
export interface HttpSettings {
  /** `Name: value`. */
  readonly headers: readonly string[];
  readonly verify: boolean;
  readonly caFile?: string;
  readonly caFolder?: string;
  readonly certificate?: string;
  readonly key?: string;
  /** Empty: no proxy, even if the environment names one. */
  readonly proxy?: string;
  readonly cookieFile?: string;
  readonly userAgent?: string;
  /** False: a redirect is an error. */
  readonly followRedirects: boolean;
  /** Settings of the owner that the broker does not support. A request without them would be wrong. */
  readonly unsupported: readonly string[];
}

const UNSUPPORTED = ['pinnedpubkey', 'sslcertpasswordprotected', 'proxysslcert', 'proxysslkey', 'curloptresolve'];

/**
 * The settings for a repository. Git's environment variables override the configuration. The user of the credentials
 * counts as part of the URL.
 */
export function httpSettings(
  { url, credential }: HttpUpstream,
  config: readonly ConfigEntry[],
  env: NodeJS.ProcessEnv,
): HttpSettings {
  const named = new URL(url);
  if (credential !== undefined) named.username = credential.username;
  const values = matching(named, config);
  const last = (name: string): string | undefined => values.get(name)?.at(-1);
  const paths = {
    caFile: env['GIT_SSL_CAINFO'] ?? home(last('sslcainfo'), env),
    caFolder: env['GIT_SSL_CAPATH'] ?? home(last('sslcapath'), env),
    certificate: env['GIT_SSL_CERT'] ?? home(last('sslcert'), env),
    key: env['GIT_SSL_KEY'] ?? home(last('sslkey'), env),
    proxy: last('proxy'),
    cookieFile: home(last('cookiefile'), env),
    userAgent: env['GIT_HTTP_USER_AGENT'] ?? last('useragent'),
  };
  const headers = values.get('extraheader') ?? [];
  return {
    ...Object.fromEntries(Object.entries(paths).filter(([, value]) => value !== undefined)),
    // An empty value clears the ones before it.
    headers: headers.slice(headers.lastIndexOf('') + 1),
    // Git only checks whether the variable exists.
    verify: env['GIT_SSL_NO_VERIFY'] === undefined && isOn(last('sslverify') ?? 'true'),
    followRedirects: last('followredirects') === 'initial' || isOn(last('followredirects') ?? 'true'),
    unsupported: UNSUPPORTED.filter((name) => isOn(last(name) ?? 'false')).map((name) => `http.${name}`),
  };
}

/** The settings without those that authenticate the owner: headers, cookies and the TLS client certificate. */
export function withoutAccess(settings: HttpSettings): HttpSettings {
  const { certificate: _certificate, key: _key, cookieFile: _cookieFile, ...others } = settings;
  return { ...others, headers: [] };
}

/**
 * Values by variable, in the order of the configuration. As in git, a less specific section counts only before a more
 * specific one.
 */
function matching(url: URL, config: readonly ConfigEntry[]): ReadonlyMap<string, readonly string[]> {
  const values = new Map<string, string[]>();
  const best = new Map<string, Rank>();
  for (const { key, value } of config) {
    if (!key.startsWith('http.')) continue;
    const dot = key.lastIndexOf('.');
    const name = key.slice(dot + 1);
    const rank = dot === 'http'.length ? ([0, 0, 0] as const) : rankOf(key.slice('http.'.length, dot), url);
    if (rank === undefined || compare(rank, best.get(name) ?? [0, 0, 0]) < 0) continue;
    best.set(name, rank);
    values.set(name, [...(values.get(name) ?? []), value]);
  }
  return values;
}

/** Length of the matching host and path, and whether the user matches. */
type Rank = readonly [host: number, path: number, user: number];

function rankOf(pattern: string, url: URL): Rank | undefined {
  // The URL parser rejects a host with a wildcard.
  const wanted = URL.parse(pattern.replaceAll('*', 'x-any-x'));
  if (wanted === null || wanted.protocol !== url.protocol || portOf(wanted) !== portOf(url)) return undefined;
  const labels = wanted.hostname.replaceAll('x-any-x', '*').split('.');
  const asked = url.hostname.split('.');
  if (labels.length !== asked.length || !labels.every((label, at) => label === '*' || label === asked[at])) return;
  if (wanted.username !== '' && wanted.username !== url.username) return undefined;
  const path = wanted.pathname.replaceAll('x-any-x', '*').replace(/\/+$/, '');
  if (url.pathname !== path && !url.pathname.startsWith(`${path}/`)) return undefined;
  return [labels.join('.').length, path.length + 1, wanted.username === '' ? 0 : 1];
}

function compare(one: Rank, other: Rank): number {
  return one[0] - other[0] || one[1] - other[1] || one[2] - other[2];
}

function portOf(url: URL): string {
  return url.port === '' ? url.protocol : url.port;
}

function isOn(value: string): boolean {
  return !/^(false|no|off|0|)$/i.test(value);
}

/** A path of git's configuration may begin with `~/`. */
function home(path: string | undefined, env: NodeJS.ProcessEnv): string | undefined {
  return path?.replace(/^~(?=\/)/, env['HOME'] ?? '~');
}
