// Repositories to clone. They are checked before a machine is created.
import { z } from 'zod';
import { grantProblem } from '../wire/git-grants.ts';
import { gitUrlProblem } from '../wire/git-url.ts';
import { branchProblem } from './names.ts';
import { quoteValue } from './quote.ts';

/** What is wrong with a clone URL, or undefined. Some invalid URLs would make git read an option or run a command. */
export function cloneUrlProblem(url: string): string | undefined {
  if (url === '') return 'clone URL required';
  const problem = gitUrlProblem(url);
  return problem === undefined ? undefined : `clone URL ${quoteValue(withoutCredentials(url))} ${problem}`;
}

/** Removes everything up to the last "@", because the path of an invalid URL cannot be found reliably. */
function withoutCredentials(url: string): string {
  return url.replace(/^([a-z0-9+.-]+:\/\/).*@/is, '$1');
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

/** All descendants get them, in their specs. */
const GRANTS_LIMIT = 100;

/** Repositories that a person allows an agent and its descendants. */
export const repoGrants = z
  .array(
    z.string('a repository that is allowed must be a string').superRefine((grant, context) => {
      const problem = grantProblem(grant);
      if (problem !== undefined) {
        context.addIssue(`allowed repository ${quoteValue(withoutCredentials(grant))} ${problem}`);
      }
    }),
  )
  .max(GRANTS_LIMIT, `at most ${String(GRANTS_LIMIT)} allowed repositories`)
  .default([]);
