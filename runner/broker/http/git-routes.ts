// The configuration that leads the agent's git to the broker's proxy for the repositories that it serves.
import type { HttpRoute } from '../access.ts';
import type { ConfigEntry } from '../../git/caller-git.ts';
import { KEY_HEADER } from './git-proxy.ts';
import type { GitProxyAddress } from './git-proxy.ts';

/**
 * As a proxy for exactly these URLs, which stay as they are for everybody who reads them (`git remote -v`, gh). With
 * `caFile`, where the proxy's certificate lies, git trusts it there and nowhere else.
 */
export function proxyRoutes(
  routes: readonly HttpRoute[],
  { port, key }: GitProxyAddress,
  caFile: string,
): readonly ConfigEntry[] {
  return [...new Set(routes.flatMap(({ to }) => [to, withGit(to)]))].flatMap((url) => [
    { key: `http.${url}.proxy`, value: `http://murmur:${key}@127.0.0.1:${String(port)}` },
    { key: `http.${url}.proxyauthmethod`, value: 'basic' },
    ...(url.startsWith('https:') ? [{ key: `http.${url}.sslcainfo`, value: caFile }] : []),
  ]);
}

/**
 * By rewriting, for an agent behind a proxy of its own: git takes no proxy for a host that NO_PROXY names, and git-lfs
 * prefers the one of the environment.
 */
export function rewritingRoutes(routes: readonly HttpRoute[], { port, key }: GitProxyAddress): readonly ConfigEntry[] {
  if (routes.length === 0) return [];
  const place = `http://127.0.0.1:${String(port)}/`;
  return [
    ...routes.map(({ from, to, isPush }) => ({
      key: `url.${place}${to.replace('://', '/')}.${isPush ? 'pushinsteadof' : 'insteadof'}`,
      value: from,
    })),
    { key: `http.${place}.extraheader`, value: `${KEY_HEADER}: ${key}` },
    { key: `http.${place}.proxy`, value: '' },
  ];
}

/** Git compares whole segments of a path: with and without `.git` are two. */
function withGit(url: string): string {
  const bare = url.replace(/\/+$/, '');
  if (new URL(bare).pathname === '/') return bare;
  return bare.endsWith('.git') ? bare.slice(0, -'.git'.length) : `${bare}.git`;
}
