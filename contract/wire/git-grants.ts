// Grants: how a person allows an agent further repositories. Pure.
import { gitUrlProblem, lowerCase, parseGitUrl, placeOf, schemeOf } from './git-url.ts';

/**
 * Whether one of the grants covers the URL. A grant is a URL or `host/path-prefix`. The latter covers https and ssh (as
 * `git` or without a user). A grant covers whole path segments, with or without `.git`, of exactly its host and port.
 * The default port is the scheme's. Local repositories are never covered, nor are paths with percent-encoding, ";" or
 * empty, `.` or `..` segments.
 */
export function isGranted(url: string, grants: readonly string[]): boolean {
  if (gitUrlProblem(url) !== undefined) return false;
  const target = parseGitUrl(url);
  const segments = plainSegments(target.path);
  if (target.kind === 'local' || segments === undefined || segments.length === 0) return false;
  return grants.some((text) => {
    const grant = parseGrant(text);
    return (
      grant !== undefined &&
      grant.schemes.includes(schemeOf(target)) &&
      grant.users.includes(target.user) &&
      placeOf({ ...target, host: grant.host, port: grant.port }) === placeOf(target) &&
      grant.segments.every((segment, at) => segment === segments[at])
    );
  });
}

/** What is wrong with a grant, as the predicate of a sentence; undefined if it is valid. */
export function grantProblem(grant: string): string | undefined {
  // People write `acme/shop` for a repository of a forge; here it would name a host. Such a host needs a URL.
  if (/^[^/:.@[]+(?:\/|$)/.test(grant) && !/^localhost(?:\/|$)/.test(grant)) {
    return 'names no host: write a URL or host/path, such as github.com/acme';
  }
  if (parseGrant(grant) !== undefined) return undefined;
  return parseGitUrl(grant).kind === 'local' && /^(?:\/|\.|~|file:)/.test(grant)
    ? 'is local: only remote repositories can be allowed, by URL or host/path'
    : 'is not valid: write a URL or host/path, such as github.com/acme, without credentials';
}

interface Grant {
  readonly schemes: readonly string[];
  readonly users: readonly string[];
  readonly host: string;
  readonly port: string;
  readonly segments: readonly string[];
}

/** Undefined if the grant is invalid. */
function parseGrant(text: string): Grant | undefined {
  const bare = /^([^/:@]+|\[[^\]]+\])(?::(\d+))?(\/.*)?$/.exec(text);
  if (bare !== null) {
    const [, host = '', port = '', path = ''] = bare;
    const segments = plainSegments(path);
    if (segments === undefined || gitUrlProblem(`https://${host}${port && `:${port}`}`) !== undefined) return undefined;
    return { schemes: ['https', 'ssh'], users: ['', 'git'], host: lowerCase(host), port, segments };
  }
  const url = parseGitUrl(text);
  const segments = plainSegments(url.path);
  if (segments === undefined || url.kind === 'local') return undefined;
  // `git@host:` without a path is not a URL, but its meaning as a grant is clear.
  const isWhole = text.endsWith(':') && url.kind === 'ssh' && url.user !== '';
  if (gitUrlProblem(isWhole ? `${text}/` : text) !== undefined) return undefined;
  const { user, host, port } = url;
  return {
    schemes: [schemeOf(url)],
    users: url.kind === 'ssh' && user === '' ? ['', 'git'] : [user],
    host,
    port,
    segments,
  };
}

/** Segments of an unambiguous path, without `.git` and without a slash at either end; else undefined. */
function plainSegments(path: string): readonly string[] | undefined {
  const inner = path
    .replace(/^\//, '')
    .replace(/\/$/, '')
    .replace(/([^/])\.git$/, '$1');
  if (inner === '') return [];
  const segments = inner.split('/');
  const isPlain = segments.every((each) => !/^\.*$|[%\\?#;\s\p{Cc}]/u.test(each));
  return isPlain ? segments : undefined;
}
