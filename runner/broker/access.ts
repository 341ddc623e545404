// Which remotes the broker serves: those of the agent's repositories, as the caller's git would reach them.
import type { ConfigEntry } from '../git/caller-git.ts';
import { effectiveUrls } from '../git/rewrite.ts';
import { localPath, parseGitUrl } from '../../contract/wire/git-url.ts';
import type { GitUrl } from '../../contract/wire/git-url.ts';

const DEFAULT_PORTS: Readonly<Record<string, string>> = { http: '80', https: '443', ssh: '22' };

export interface StoredCredential {
  readonly username: string;
  readonly password: string;
}

export class BrokerAccess {
  readonly #hosts = new Set<string>();
  readonly #paths = new Set<string>();
  readonly #credentials = new Map<string, StoredCredential>();

  /** Adds a repository; credentials in its URL are kept for its host. */
  allow(cloneUrl: string, config: readonly ConfigEntry[]): void {
    for (const url of [cloneUrl, ...effectiveUrls(cloneUrl, config)].map(parseGitUrl)) {
      if (url.kind === 'local') this.#paths.add(localPath(url));
      else this.#allowHost(url);
    }
  }

  /** `authority` is `host` or `host:port`, as in git's credential protocol. */
  allowsHttp(protocol: string, authority: string): boolean {
    return (protocol === 'http' || protocol === 'https') && this.#hosts.has(key(protocol, ...split(authority)));
  }

  allowsSsh(host: string, port: string): boolean {
    return this.#hosts.has(key('ssh', host, port));
  }

  allowsPath(directory: string): boolean {
    return this.#paths.has(directory);
  }

  /** Credentials that the spawn's own URL carried. */
  credentialOf(protocol: string, authority: string): StoredCredential | undefined {
    return this.#credentials.get(key(protocol, ...split(authority)));
  }

  #allowHost(url: GitUrl): void {
    const protocol = url.kind === 'ssh' ? 'ssh' : url.protocol;
    const host = key(protocol, url.host, url.port);
    this.#hosts.add(host);
    if (url.kind === 'http' && url.password !== '') {
      this.#credentials.set(host, { username: url.user, password: url.password });
    }
  }
}

function key(protocol: string, host: string, port: string): string {
  return `${protocol}://${host.toLowerCase()}:${port === '' ? (DEFAULT_PORTS[protocol] ?? '') : port}`;
}

function split(authority: string): [host: string, port: string] {
  const parts = /^(\[[^\]]*\]|[^:]*)(?::(\d*))?$/.exec(authority);
  return [parts?.[1] ?? '', parts?.[2] ?? ''];
}
