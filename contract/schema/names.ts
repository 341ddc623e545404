// Names of branches and models. Without zod, because the command line uses them to check the files of flights.
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

export const MODEL_LENGTH = 200;
export const MODEL_PATTERN = /^[A-Za-z0-9][A-Za-z0-9._:/@[\]-]*$/;
export const MODEL_RULE = 'a model name has letters, digits and . _ : / @ [ ] -';

/** What is wrong with a model's name, or undefined. */
export function modelProblem(name: string): string | undefined {
  if (name.length > MODEL_LENGTH) return `a model name has at most ${String(MODEL_LENGTH)} characters`;
  return MODEL_PATTERN.test(name) ? undefined : MODEL_RULE;
}
