// Which redirects of a git server lead to a repository.
import { gitUrlProblem, parseGitUrl } from '../../../contract/wire/git-url.ts';

/**
 * The repository that a redirect of `<repository><endpoint>` leads to. Undefined for a `location` that is no clone URL
 * followed by the same endpoint. Says nothing about the server: see `isSameServer`.
 */
export function redirectedTo(repository: string, endpoint: string, location: string | undefined): string | undefined {
  const href = location === undefined ? undefined : URL.parse(location, `${repository}${endpoint}`)?.href;
  if (href?.endsWith(endpoint) !== true) return undefined;
  const target = href.slice(0, -endpoint.length);
  const isRepository = parseGitUrl(target).kind === 'http' && gitUrlProblem(target) === undefined;
  // After a query, the endpoint would be a part of it.
  return isRepository && !/[?#]/.test(target) ? target : undefined;
}
