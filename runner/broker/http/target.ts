// The http requests of git and git-lfs to a repository. Accepts no others. Imports nothing of Murmur.

export interface GitHttpRequest {
  /** URL of the repository, without what git adds to it. */
  readonly repository: string;
  /** What git adds: path and query. */
  readonly endpoint: string;
  readonly kind: 'refs' | 'pack' | 'lfs';
}

/**
 * git-lfs adds these to a repository's URL. GitLab serves the files at the second one. The server gets the rest of the
 * path with the owner's access, so only characters that every server reads alike are allowed: some servers decode a
 * path twice, some cut a segment at ";".
 */
const LFS = /^(.*?)(\/(?:info\/lfs|gitlab-lfs\/objects)\/[\w./-]+(?:\?[\w.~%=&+/:@,-]*)?)$/;
const LFS_METHODS = ['GET', 'POST', 'PUT', 'PATCH', 'HEAD'];

/** The request for `<origin><path>`, `origin` without a path; undefined for one that neither git nor git-lfs makes. */
export function gitHttpRequest(method: string, origin: string, path: string): GitHttpRequest | undefined {
  // Rejects ambiguous paths, because a server decodes the path before it looks up the repository.
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
