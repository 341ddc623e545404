// `url.<base>.insteadOf` of the caller, applied as git does: which host a URL really leads to.
import { redactUrl } from '../../contract/wire/git-url.ts';
import type { ConfigEntry } from './caller-git.ts';

/** The URLs that git uses for a clone URL: for fetch and for push. */
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
 * The rewriting for the agent's git, so that a shortcut such as `gh:` leads where the owner's leads. Credentials stay
 * outside; an entry that does nothing but add some, as build servers have it, is left out.
 */
export function withoutCredentials(config: readonly ConfigEntry[]): readonly ConfigEntry[] {
  return config.flatMap(({ key, value }) => {
    const [, base = '', variable = ''] = /^url\.(.*)\.(insteadof|pushinsteadof)$/s.exec(key) ?? [];
    // A query can hold a token.
    if (base === '' || base.includes('?')) return [];
    const plain = redactUrl(base);
    return plain === value || plain !== redactUrl(plain) ? [] : [{ key: `url.${plain}.${variable}`, value }];
  });
}
