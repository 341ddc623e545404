// Checks the graph of a flight: needed agents exist, there are no cycles, and each agent is continued at most once.
import { quoteValue } from '../schema/quote.ts';
import { ITEM_MARK, NODE_LIMIT, upstreamOf } from '../wire/flight/plan.ts';
import type { SectionReading, Word } from './directives.ts';
import { unknownName } from './problem.ts';
import type { FlightProblem } from './problem.ts';

/** The problems between sections. Each section has been checked by itself already. */
export function checkGraph(readings: readonly SectionReading[]): readonly FlightProblem[] {
  const problems: FlightProblem[] = [];
  const known = new Map<string, SectionReading>();
  for (const reading of readings) {
    const { slug } = reading.node;
    const first = known.get(slug);
    if (first === undefined) known.set(slug, reading);
    else {
      const line = String(first.places.slug.line);
      problems.push(at(reading.places.slug, `agent ${quoteValue(slug)} is defined twice: first in line ${line}`));
    }
  }
  const surplus = readings[NODE_LIMIT];
  if (surplus !== undefined) {
    // Stops here: the checks below would take too long for a file of any size.
    return [at(surplus.places.slug, `a flight has at most ${String(NODE_LIMIT)} agents`)];
  }
  const continued = new Map<string, string>();
  for (const reading of readings) {
    problems.push(...checkEdges(reading, known), ...checkFollowUp(reading, continued), ...checkEach(reading));
  }
  return [...problems, ...findCycles(readings, known)];
}

function checkEdges({ node, places }: SectionReading, known: ReadonlyMap<string, unknown>): FlightProblem[] {
  const problems: FlightProblem[] = [];
  const seen = new Set<string>();
  const words = [...places.needs, ...(places.continues === undefined ? [] : [places.continues])];
  for (const word of words) {
    const { text, line, column } = word;
    if (text === node.slug) problems.push(at(word, `agent ${quoteValue(text)} waits for itself`));
    else if (!known.has(text)) problems.push({ line, column, ...unknownName('agent', text, [...known.keys()]) });
    else if (seen.has(text)) problems.push(at(word, `agent ${quoteValue(text)} is needed twice`));
    seen.add(text);
  }
  return problems;
}

/** An agent that continues another shares its machine, model and branch. An agent can be continued once. */
function checkFollowUp({ node, places }: SectionReading, continued: Map<string, string>): FlightProblem[] {
  const { continues } = places;
  if (continues === undefined) return [];
  const problems: FlightProblem[] = [];
  const { needs, model, branch, each } = places.directives;
  if (needs !== undefined) {
    problems.push(at(needs, 'an agent that continues another one has no needs: it waits for that one'));
  }
  for (const [name, word] of Object.entries({ model, branch, each })) {
    if (word === undefined) continue;
    problems.push(at(word, `an agent that continues another one has the other's ${name === 'each' ? 'items' : name}`));
  }
  const other = continued.get(continues.text);
  if (other === undefined) continued.set(continues.text, node.slug);
  else problems.push(at(continues, `agent ${quoteValue(continues.text)} is continued already by ${quoteValue(other)}`));
  return problems;
}

function checkEach({ node, places }: SectionReading): FlightProblem[] {
  const { each, branch } = places.directives;
  if (each === undefined) return [];
  const problems: FlightProblem[] = [];
  if (!node.prompt.includes(ITEM_MARK)) {
    problems.push(at(each, `the prompt of an \`each\` agent holds ${ITEM_MARK} where the item belongs`));
  }
  if (branch !== undefined && !branch.text.includes(ITEM_MARK)) {
    problems.push(at(branch, `the branch of an \`each\` agent holds ${ITEM_MARK}, as two agents cannot share one`));
  }
  return problems;
}

/** One problem per cycle, at its first edge in the file. */
function findCycles(readings: readonly SectionReading[], known: ReadonlyMap<string, SectionReading>): FlightProblem[] {
  const problems: FlightProblem[] = [];
  const settled = new Set<string>();
  const visit = (slug: string, path: readonly string[]): void => {
    const start = path.indexOf(slug);
    if (start >= 0) {
      problems.push(cycleProblem([...path.slice(start), slug], known));
      return;
    }
    const reading = known.get(slug);
    if (reading === undefined || settled.has(slug)) return;
    for (const upstream of upstreamOf(reading.node)) if (upstream !== slug) visit(upstream, [...path, slug]);
    settled.add(slug);
  };
  for (const { node } of readings) visit(node.slug, []);
  return problems;
}

function cycleProblem(cycle: readonly string[], known: ReadonlyMap<string, SectionReading>): FlightProblem {
  const [slug = '', upstream = ''] = cycle;
  const places = known.get(slug)?.places;
  const word = [...(places?.needs ?? []), places?.continues].find((each) => each?.text === upstream) ?? places?.slug;
  return at(word ?? { text: slug, line: 1, column: 1 }, `a cycle: ${cycle.join(' waits for ')}`);
}

function at({ line, column }: Word, message: string): FlightProblem {
  return { line, column, message };
}
