// Parses a flight's file. Errors name line and column and quote the line.
import { FLIGHT_BYTES } from '../wire/flight/plan.ts';
import type { FlightPlan } from '../wire/flight/plan.ts';
import { checkGraph } from './check.ts';
import { readDocument } from './document.ts';
import { readSection } from './directives.ts';
import { readFrontmatter } from './frontmatter.ts';
import { flightError } from './problem.ts';
import type { FlightProblem } from './problem.ts';

/**
 * Parses and checks a flight. Throws INVALID_ARGUMENT that lists all problems in the order of the file.
 * @param file name of the file in messages
 */
export function parseFlight(source: string, file: string): FlightPlan {
  const { plan, lines, problems } = readFlight(source);
  if (problems.length === 0) return plan;
  throw flightError(file, lines, problems);
}

/** The flight as far as it can be read, and all its problems. */
export function readFlight(source: string): {
  readonly plan: FlightPlan;
  readonly lines: readonly string[];
  readonly problems: readonly FlightProblem[];
} {
  const bytes = new TextEncoder().encode(source).length;
  if (bytes > FLIGHT_BYTES) {
    const message = `the file has ${String(bytes)} bytes, the limit is ${String(FLIGHT_BYTES)}`;
    return {
      plan: { name: '', notes: '', settings: {}, nodes: [] },
      lines: [],
      problems: [{ line: 1, column: 1, message }],
    };
  }
  const { document, lines, problems: structure } = readDocument(source);
  const { frontmatter, name, notes, sections } = document;
  const head =
    frontmatter === undefined ? { settings: {}, problems: [] } : readFrontmatter(frontmatter.text, frontmatter.line);
  const readings = sections.map(readSection);
  const problems = [
    ...structure,
    ...head.problems,
    ...readings.flatMap((reading) => reading.problems),
    ...checkGraph(readings),
  ].sort((a, b) => a.line - b.line || a.column - b.column);
  return { plan: { name, notes, settings: head.settings, nodes: readings.map(({ node }) => node) }, lines, problems };
}
