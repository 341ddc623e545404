// Reads an agent's section: the `> key: value` lines below the heading, and the prompt after them.
import { modelProblem } from '../schema/names.ts';
import { branchProblem } from '../schema/names.ts';
import { quoteValue } from '../schema/quote.ts';
import { ITEM_MARK } from '../wire/flight/plan.ts';
import type { FlightNode } from '../wire/flight/plan.ts';
import { slugProblem } from '../wire/identity.ts';
import type { Section } from './document.ts';
import { textOf } from './lines.ts';
import type { Line } from './lines.ts';
import { notYet } from './not-yet.ts';
import { unknownName } from './problem.ts';
import type { FlightProblem } from './problem.ts';

const DIRECTIVES = ['model', 'needs', 'continues', 'gate', 'branch', 'each', 'out'] as const;
type DirectiveName = (typeof DIRECTIVES)[number];

/** A word of a directive's value, with its position. */
export interface Word {
  readonly text: string;
  readonly line: number;
  readonly column: number;
}

/** The agent that a section defines, with positions for later problems. */
export interface SectionReading {
  readonly node: FlightNode;
  readonly places: {
    readonly slug: Word;
    readonly needs: readonly Word[];
    readonly continues?: Word;
    readonly directives: Readonly<Partial<Record<DirectiveName, Word>>>;
  };
  readonly problems: readonly FlightProblem[];
}

/** Reads a section. */
export function readSection(section: Section): SectionReading {
  const problems: FlightProblem[] = [];
  const { directives, rest } = readDirectives(section.body, problems);
  const { slug, line, column } = section;
  const at = { line, column };
  const slugWrong = slugProblem(slug);
  if (slugWrong !== undefined) problems.push({ ...at, message: slugWrong });
  const prompt = textOf(rest);
  if (prompt === '') problems.push({ ...at, message: `agent ${quoteValue(slug)} has no prompt` });

  const needs = wordsOf(directives.needs);
  const continues = oneOf(directives.continues, 'continues', problems);
  const gate = gateOf(directives.gate, problems);
  const { model, branch, each, out } = directives;
  pushProblem(problems, model, (value) => modelProblem(value));
  // The placeholder is not valid in a branch name, so an item takes its place in the check.
  pushProblem(problems, branch, (value) => branchProblem(value.replaceAll(ITEM_MARK, 'item')));
  const node: FlightNode = {
    slug,
    prompt,
    needs: needs.map(({ text }) => text),
    ...(continues === undefined ? {} : { continues: continues.text }),
    ...(gate === undefined ? {} : { gate }),
    ...(model === undefined ? {} : { model: model.text }),
    ...(branch === undefined ? {} : { branch: branch.text }),
    ...(each === undefined ? {} : { each: each.text }),
    ...(out === undefined ? {} : { out: out.text }),
  };
  const places = {
    slug: { text: slug, ...at },
    needs,
    ...(continues === undefined ? {} : { continues }),
    directives,
  };
  return { node, places, problems };
}

function readDirectives(
  body: readonly Line[],
  problems: FlightProblem[],
): { readonly directives: Partial<Record<DirectiveName, Word>>; readonly rest: readonly Line[] } {
  const directives: Partial<Record<DirectiveName, Word>> = {};
  const from = body.findIndex(({ text }) => text.trim() !== '');
  let end = Math.max(from, 0);
  for (; end < body.length; end += 1) {
    const line = body[end];
    if (line === undefined || line.verbatim || !/^ {0,3}>/.test(line.text)) break;
    readDirective(line, directives, problems);
  }
  return { directives, rest: body.slice(end) };
}

function readDirective(
  { text, number }: Line,
  directives: Partial<Record<DirectiveName, Word>>,
  problems: FlightProblem[],
): void {
  const [, lead = '', quoted = ''] = /^( {0,3}>[ \t]*)(.*)$/.exec(text) ?? [];
  if (quoted.trim() === '') return;
  const at = { line: number, column: lead.length + 1 };
  const [, key, colon = '', value = ''] = /^([A-Za-z][\w-]*)([ \t]*:[ \t]*)(.*)$/.exec(quoted) ?? [];
  if (key === undefined) {
    problems.push({
      ...at,
      message: 'this is not a directive',
      hint: 'write `> key: value`; a quotation comes after a line of the prompt',
    });
    return;
  }
  if (!isDirective(key)) {
    problems.push({ ...at, ...(notYet('directive', key) ?? unknownName('directive', key, DIRECTIVES)) });
    return;
  }
  const valueAt = at.column + key.length + colon.length;
  if (directives[key] !== undefined) problems.push({ ...at, message: `directive ${key} is given twice` });
  else if (value.trim() === '') problems.push({ ...at, message: `directive ${key} has no value` });
  else directives[key] = { text: value.trim(), line: number, column: valueAt };
}

function isDirective(key: string): key is DirectiveName {
  return (DIRECTIVES as readonly string[]).includes(key);
}

/** The words between commas, each with its position. Empty words are dropped. */
function wordsOf(value: Word | undefined): readonly Word[] {
  if (value === undefined) return [];
  const words: Word[] = [];
  let column = value.column;
  for (const part of value.text.split(',')) {
    const lead = part.length - part.trimStart().length;
    if (part.trim() !== '') words.push({ text: part.trim(), line: value.line, column: column + lead });
    column += part.length + 1;
  }
  return words;
}

function oneOf(value: Word | undefined, name: string, problems: FlightProblem[]): Word | undefined {
  const [first, second] = wordsOf(value);
  if (second !== undefined) {
    problems.push({ line: second.line, column: second.column, message: `${name} takes exactly one agent` });
  }
  return first;
}

function gateOf(value: Word | undefined, problems: FlightProblem[]): 'approve' | undefined {
  let gate: 'approve' | undefined;
  for (const { text, line, column } of wordsOf(value)) {
    if (text === 'approve') gate = 'approve';
    else problems.push({ line, column, ...(notYet('gate', text) ?? unknownName('gate', text, ['approve'])) });
  }
  return gate;
}

function pushProblem(
  problems: FlightProblem[],
  word: Word | undefined,
  check: (value: string) => string | undefined,
): void {
  const message = word === undefined ? undefined : check(word.text);
  if (word !== undefined && message !== undefined) problems.push({ line: word.line, column: word.column, message });
}
