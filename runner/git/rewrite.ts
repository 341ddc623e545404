// Applies the caller's `url.<base>.insteadOf` as git does, to find the host to which a URL leads.
import { redactUrl } from '../../contract/wire/git-url.ts';
import type { ConfigEntry } from './caller-git.ts';

/** The URLs that git uses for a clone URL, for fetch and for push. */
export function effectiveUrls(url: string, config: readonly ConfigEntry[]): readonly string[] {
  const fetched = rewritten(url, config, 'insteadof') ?? url;
  const pushed = rewritten(url, config, 'pushinsteadof') ?? fetched;
  return [...new Set([fetched, pushed])];
}

/** The longest prefix wins. */
function rewritten(url: string, config: readonly ConfigEntry[], variable: string): string | undefined {
  const suffix = `.${variable}`;
  const [best] = config
    .filter(({ key, value }) => key.startsWith('url.') && key.endsWith(suffix) && url.startsWith(value))
    .sort((a, b) => b.value.length - a.value.length);
  return best && best.key.slice('url.'.length, -suffix.length) + url.slice(best.value.length);
}

/**
 * The rewriting rules for the agent's git, so that shortcuts such as `gh:` work. Removes credentials from them. Omits
 * rules that only add credentials, as build servers have them.
 */
export function withoutCredentials(config: readonly ConfigEntry[]): readonly ConfigEntry[] {
  return config.flatMap(({ key, value }) => {
    const [, base = '', variable = ''] = /^url\.(.*)\.(insteadof|pushinsteadof)$/s.exec(key) ?? [];
    // A query can contain a token.
    if (base === '' || base.includes('?')) return [];
    const plain = redactUrl(base);
    return plain === value || plain !== redactUrl(plain) ? [] : [{ key: `url.${plain}.${variable}`, value }];
  });
}
