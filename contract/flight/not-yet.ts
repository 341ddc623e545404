// Directives that other versions know and this one does not support. The errors name them.
import type { FlightProblem } from './problem.ts';

const NOT_YET: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  directive: { persona: 'there are no personas in this version: say it in the prompt' },
  'frontmatter key': { persona: 'there are no personas in this version: say it in the notes' },
  gate: {
    ci: 'there are no checks in this version: use `gate: approve`, or let the agent run the tests',
    review: 'there are no reviews in this version: use `gate: approve`, or an agent that reviews',
    merge: 'there are no pull requests in this version: use `gate: approve`',
  },
};

/** Why a known but unsupported name is refused; undefined for any other name. */
export function notYet(what: keyof typeof NOT_YET, name: string): Pick<FlightProblem, 'message'> | undefined {
  const reasons = NOT_YET[what] ?? {};
  return Object.hasOwn(reasons, name)
    ? { message: `${what} ${JSON.stringify(name)} is not available: ${reasons[name] ?? ''}` }
    : undefined;
}
