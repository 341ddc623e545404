// Problems of a flight's file, with their position.
import { MurmurError } from '../wire/errors.ts';
import { nearestName } from '../wire/nearest.ts';

/** One problem. Line and column count from 1; a column is one UTF-16 unit of the line. */
export interface FlightProblem {
  readonly line: number;
  readonly column: number;
  readonly message: string;
  /** What to write instead, as a phrase. */
  readonly hint?: string;
}

/** Characters of a source line in an excerpt. */
const EXCERPT_WIDTH = 100;
/** Problems that one message shows. The others appear when these are fixed. */
const PROBLEMS_SHOWN = 10;

/** The problem of an unknown name, with the known name that was probably meant. */
export function unknownName(
  what: string,
  name: string,
  known: readonly string[],
): Pick<FlightProblem, 'message' | 'hint'> {
  const nearest = nearestName(name, known);
  return {
    message: `unknown ${what} ${JSON.stringify(name.slice(0, 80))}`,
    ...(nearest === undefined
      ? known.length === 0
        ? {}
        : { hint: `use one of ${known.join(', ')}` }
      : { hint: `did you mean ${nearest}?` }),
  };
}

/** `file:line:column: message`, and below it the line with a caret. */
export function problemText(file: string, lines: readonly string[], problem: FlightProblem): string {
  const { line, column, message, hint } = problem;
  const place = `${file}:${String(line)}:${String(column)}: ${message}${hint === undefined ? '' : ` (${hint})`}`;
  const source = lines[line - 1];
  if (source === undefined) return place;
  const from = Math.max(0, column - 1 - EXCERPT_WIDTH / 2);
  // Control characters would move the caret, or the cursor of a terminal.
  const shown = source.slice(from, from + EXCERPT_WIDTH).replaceAll(/[\u0000-\u001f\u007f-\u009f]/g, ' ');
  const margin = `${String(line)} | `;
  return `${place}\n\n  ${margin}${shown}\n  ${' '.repeat(margin.length + column - 1 - from)}^`;
}

/** INVALID_ARGUMENT that lists the problems; the first ones with their lines. */
export function flightError(file: string, lines: readonly string[], problems: readonly FlightProblem[]): MurmurError {
  const shown = problems.slice(0, PROBLEMS_SHOWN).map((problem) => problemText(file, lines, problem));
  const more = problems.length - shown.length;
  const rest = more === 0 ? [] : [`and ${String(more)} more`];
  return new MurmurError('INVALID_ARGUMENT', [...shown, ...rest].join('\n\n'), {
    hint: 'correct the file; `murmur flight validate` checks it',
    details: { file, problems: problems.slice(0, 100) },
  });
}
