// Repositories to clone: checked here, before a machine is made for them.
import { z } from 'zod';
import { branchProblem } from './branch-name.ts';
import { quoteValue } from './quote.ts';

const SCHEMES = ['https:', 'http:', 'ssh:', 'git:', 'file:'];

/** What is wrong with a clone URL, or undefined. Git would take an option or run a command where it expects a URL. */
export function cloneUrlProblem(url: string): string | undefined {
  const named = `clone URL ${quoteValue(withoutCredentials(url))}`;
  if (url === '') return 'clone URL required';
  // A folder of one's own may have a space in its name; no URL has.
  const forbidden = url.startsWith('/') ? /[\p{Zl}\p{Zp}\p{Cc}]/u : /[\s\p{Cc}]/u;
  if (forbidden.test(url)) return `${named} is not valid: it holds a space or a control character`;
  if (url.startsWith('-')) return `${named} is not valid: it begins with "-"`;
  if (url.startsWith('/')) return undefined;
  if (url.includes('://')) return schemeProblem(url, named);
  if (url.includes('::')) return `${named} is not valid: remote helpers are not allowed`;
  // The short form of ssh: host:path, with an optional user before the host.
  if (/^(?:[\w.-]+@)?[\w.-]+:[^:]+$/.test(url)) return undefined;
  return `${named} is not valid: use https://…, ssh://…, user@host:path or an absolute path`;
}

function schemeProblem(url: string, named: string): string | undefined {
  if (!URL.canParse(url)) return `${named} is not valid`;
  const { protocol, password, username } = new URL(url);
  if (!SCHEMES.includes(protocol)) return `${named} is not valid: git does not clone over ${quoteValue(protocol)} here`;
  // It would stand in Temporal's history, in the clear, for as long as that is kept.
  if (password !== '' || (username !== '' && protocol.startsWith('http'))) {
    return `${named} carries credentials: leave them out and let git's credential helper answer`;
  }
  return undefined;
}

function withoutCredentials(url: string): string {
  return url.replace(/^([a-z+]+:\/\/)[^/@]*@/i, '$1');
}

/** A branch name in an input. */
export const branchName = z.string().superRefine((name, context) => {
  const problem = branchProblem(name);
  if (problem !== undefined) context.addIssue(problem);
});

/** One repository of a spawn. */
export const repoInput = z.strictObject({
  clone_url: z
    .string({ error: (issue) => (issue.input === undefined ? 'clone URL required' : 'clone_url must be a string') })
    .superRefine((url, context) => {
      const problem = cloneUrlProblem(url);
      if (problem !== undefined) context.addIssue(problem);
    })
    .describe('Clone URL, such as `https://github.com/org/repo`, without credentials.'),
  base_branch: branchName
    .optional()
    .describe("Branch to start from, such as `main`; it must be on the remote. Default: the remote's default branch."),
  branch: branchName.optional().describe('Working branch for this repository. Overrides the top-level `branch`.'),
});
