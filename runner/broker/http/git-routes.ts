// The git configuration that routes the agent's repositories through the broker's proxy.
import type { HttpRoute } from '../access.ts';
import type { ConfigEntry } from '../../git/caller-git.ts';
import { KEY_HEADER } from './git-proxy.ts';
import type { GitProxyAddress } from './git-proxy.ts';

/**
 * Sets the proxy for exactly these URLs, which themselves do not change (`git remote -v`, gh). Git trusts the proxy's
 * certificate, in `caFile`, for these URLs only.
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
 * Rewrites the URLs, for an agent whose environment has a proxy: git uses no proxy for hosts in NO_PROXY, and git-lfs
 * prefers the environment's proxy.
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

/** Git compares whole path segments, so the URL with `.git` needs its own entry. */
function withGit(url: string): string {
  const bare = url.replace(/\/+$/, '');
  if (new URL(bare).pathname === '/') return bare;
  return bare.endsWith('.git') ? bare.slice(0, -'.git'.length) : `${bare}.git`;
}
