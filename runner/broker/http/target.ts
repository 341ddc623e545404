// What git and git-lfs ask of a repository over http, and nothing else. Imports nothing of Murmur.

export interface GitHttpRequest {
  /** URL of the repository, without what git adds to it. */
  readonly repository: string;
  /** What git adds: path and query. */
  readonly endpoint: string;
  readonly kind: 'refs' | 'pack' | 'lfs';
}

/**
 * git-lfs adds these to a repository's URL; GitLab serves the files themselves at the second place. What the client writes
 * below them goes to the server with the owner's access, so it is of letters that every server reads alike: some decode a
 * path twice, some cut a segment at ";".
 */
const LFS = /^(.*?)(\/(?:info\/lfs|gitlab-lfs\/objects)\/[\w./-]+(?:\?[\w.~%=&+/:@,-]*)?)$/;
const LFS_METHODS = ['GET', 'POST', 'PUT', 'PATCH', 'HEAD'];

/** The request for `<origin><path>`, `origin` without a path; undefined for one that neither git nor git-lfs makes. */
export function gitHttpRequest(method: string, origin: string, path: string): GitHttpRequest | undefined {
  // A server decodes before it looks for the repository: two readings of one path are refused.
  const [place = '', ...query] = path.split('?');
  if (!/^\/[\x21-\x7e]*$/.test(path) || /[\\#;]|%(?:00|2e|2f|3b|5c)/i.test(place)) return undefined;
  if (query.length > 1 || place.split('/').some((segment) => /^\.+$/.test(segment)) || place.includes('//')) {
    return undefined;
  }
  const of = (match: RegExpExecArray | null, kind: GitHttpRequest['kind']): GitHttpRequest | undefined =>
    match === null || match[1] === ''
      ? undefined
      : { repository: `${origin}${match[1] ?? ''}`, endpoint: match[2] ?? '', kind };
  if (method === 'GET' && place.endsWith('/info/refs')) {
    return of(/^(.*)(\/info\/refs\?service=git-(?:upload|receive)-pack)$/.exec(path), 'refs');
  }
  if (method === 'POST' && /\/git-(?:upload|receive)-pack$/.test(path)) {
    return of(/^(.*)(\/git-(?:upload|receive)-pack)$/.exec(path), 'pack');
  }
  return LFS_METHODS.includes(method) ? of(LFS.exec(path), 'lfs') : undefined;
}
