// The forms of a clone URL, read as git reads them. Imports nothing of Murmur.
import path from 'node:path';

export interface GitUrl {
  /** `local` is a path or a `file:` URL; `other` is any scheme that needs no credentials of ours. */
  readonly kind: 'http' | 'ssh' | 'local' | 'other';
  /** Scheme without the colon; `ssh` for the scp-like form. */
  readonly protocol: string;
  /** Lower case, brackets of an IPv6 address kept; empty for a local path. */
  readonly host: string;
  readonly port: string;
  readonly user: string;
  readonly password: string;
  /** As written, percent-encoding kept. */
  readonly path: string;
}

const WITH_SCHEME = /^([a-z][a-z0-9+.-]*):\/\/(?:([^/@]*)@)?(\[[^\]]*\]|[^/:]*)(?::(\d*))?(\/.*)?$/i;
/** A colon before the first slash, as in `git@host:path`. */
const SCP_LIKE = /^(?:([^@/:]+)@)?(\[[^\]]+\]|[^/:]+):(.*)$/s;

/** Parts of a clone URL; never throws: what is no URL is a local path. */
export function parseGitUrl(url: string): GitUrl {
  const scheme = WITH_SCHEME.exec(url);
  if (scheme !== null) {
    const protocol = (scheme[1] ?? '').toLowerCase();
    const [user = '', ...password] = (scheme[2] ?? '').split(':');
    const host = (scheme[3] ?? '').toLowerCase();
    return {
      kind: kindOf(protocol),
      protocol,
      host,
      port: scheme[4] ?? '',
      user: decode(user),
      password: decode(password.join(':')),
      path: scheme[5] ?? '',
    };
  }
  const scp = SCP_LIKE.exec(url);
  if (scp !== null) {
    const [, user = '', host = '', rest = ''] = scp;
    return { kind: 'ssh', protocol: 'ssh', host: host.toLowerCase(), port: '', user, password: '', path: rest };
  }
  return { kind: 'local', protocol: 'file', host: '', port: '', user: '', password: '', path: url };
}

/** The URL as it may be shown and stored: no password, and no user where the user can be a token (http). */
export function redactUrl(url: string): string {
  const { kind, user, password } = parseGitUrl(url);
  if (user === '' && password === '') return url;
  if (kind === 'http') return url.replace(/:\/\/[^/@]*@/, '://');
  return password === '' ? url : url.replace(/:\/\/[^/@]*@/, `://${user}@`);
}

/** A text without the credentials of URLs in it, such as the error output of git. */
export function redactUrls(text: string): string {
  return text.replaceAll(/(https?:\/\/)[^/@\s'"]+@/gi, '$1').replaceAll(/(\w+:\/\/[^/:@\s'"]+):[^/@\s'"]+@/g, '$1@');
}

/** The directory name that belongs to a repository: its last path segment, without `.git`. */
export function repositoryName(url: string): string {
  const segments = parseGitUrl(url)
    .path.split('/')
    .filter((segment) => segment !== '');
  if (segments.at(-1) === '.git') segments.pop();
  const name = (segments.at(-1) ?? '')
    .replace(/\.git$/, '')
    // A control character in a path helps nobody and garbles terminals.
    .replaceAll(/\p{Cc}+/gu, '-')
    .trim();
  return name === '' || name === '.' || name === '..' ? 'repository' : cutName(name);
}

/** One directory per URL, in order: a second repository of the same name gets a number. Case does not tell two apart. */
export function directoryNames(urls: readonly string[]): readonly string[] {
  const taken = new Set<string>();
  return urls.map((url) => {
    const name = repositoryName(url);
    let candidate = name;
    for (let number = 2; taken.has(candidate.toLowerCase()); number++) candidate = `${name}-${number}`;
    taken.add(candidate.toLowerCase());
    return candidate;
  });
}

/** Path on this host of a local URL. Git takes the path of a `file:` URL as it is written. */
export function localPath(url: GitUrl): string {
  return path.resolve('/', url.path);
}

function kindOf(protocol: string): GitUrl['kind'] {
  if (protocol === 'http' || protocol === 'https') return 'http';
  if (protocol === 'ssh' || protocol === 'git+ssh' || protocol === 'ssh+git') return 'ssh';
  return protocol === 'file' ? 'local' : 'other';
}

/** File names have at most 255 bytes, and a number may follow. */
function cutName(name: string): string {
  let cut = name;
  while (Buffer.byteLength(cut) > 240) cut = [...cut].slice(0, -1).join('');
  return cut;
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
