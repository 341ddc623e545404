// What git and git-lfs ask of a repository over http, and nothing else. Imports nothing of Murmur.

export interface GitHttpRequest {
  /** URL of the repository, without what git adds to it. */
  readonly repository: string;
  /** What git adds: path and query. */
  readonly endpoint: string;
  readonly kind: 'refs' | 'pack' | 'lfs';
}

/** git-lfs adds these to a repository's URL; GitLab serves the files themselves at the second place. */
const LFS = /^(.*?)(\/(?:info\/lfs|gitlab-lfs\/objects)\/.+)$/s;
const LFS_METHODS = ['GET', 'POST', 'PUT', 'PATCH', 'HEAD'];

/** The request for `<origin><path>`, `origin` without a path; undefined for one that neither git nor git-lfs makes. */
export function gitHttpRequest(method: string, origin: string, path: string): GitHttpRequest | undefined {
  // A server decodes before it looks for the repository: two readings of one path are refused.
  if (!/^\/[\x21-\x7e]*$/.test(path) || /[\\#]|%(?:2e|2f|5c|00)/i.test(path)) return undefined;
  const [place = '', ...query] = path.split('?');
  if (query.length > 1 || place.split('/').some((segment) => /^\.{1,2}$/.test(segment)) || place.includes('//')) {
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
