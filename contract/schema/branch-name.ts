// Names of branches. Without zod: the command line checks the files of flights too.
import { quoteValue } from './quote.ts';

/** What is wrong with a branch name, by git's own rules (git-check-ref-format), or undefined. */
export function branchProblem(name: string): string | undefined {
  const bad =
    name === '' ||
    name.length > 200 ||
    name === '@' ||
    /[\s\p{Cc}~^:?*[\\]|\.\.|@\{|\/\/|^[-/]|[/.]$/u.test(name) ||
    name.split('/').some((part) => part.startsWith('.') || part.endsWith('.lock'));
  return bad ? `branch ${quoteValue(name)} is not a valid branch name` : undefined;
}
