// Finds the repository to which a redirect of a git server leads.
import { gitUrlProblem, parseGitUrl } from '../../../contract/wire/git-url.ts';

/**
 * The repository to which a redirect of `<repository><endpoint>` leads. Undefined unless `location` is a clone URL
 * followed by the same endpoint. Does not check the server: see `isSameServer`.
 */
export function redirectedTo(repository: string, endpoint: string, location: string | undefined): string | undefined {
  const href = location === undefined ? undefined : URL.parse(location, `${repository}${endpoint}`)?.href;
  if (href?.endsWith(endpoint) !== true) return undefined;
  const target = href.slice(0, -endpoint.length);
  const isRepository = parseGitUrl(target).kind === 'http' && gitUrlProblem(target) === undefined;
  // With a query, the endpoint would become part of the query.
  return isRepository && !/[?#]/.test(target) ? target : undefined;
}
