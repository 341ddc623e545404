// The frontmatter of a flight: YAML with few keys. Problems have their position in the file.
import { isMap, isScalar, LineCounter, parseDocument } from 'yaml';
import type { Pair } from 'yaml';
import { modelProblem } from '../schema/names.ts';
import { quoteValue } from '../schema/quote.ts';
import { DEQUEUE_STRATEGIES } from '../wire/agent.ts';
import type { FlightSettings } from '../wire/flight/plan.ts';
import { workspaceProblem } from '../wire/identity.ts';
import { notYet } from './not-yet.ts';
import { unknownName } from './problem.ts';
import type { FlightProblem } from './problem.ts';

type Finding = Pick<FlightProblem, 'message' | 'hint'>;

/** What is wrong with the value of each key, or undefined. */
const CHECKS: Readonly<Record<keyof FlightSettings, (value: unknown) => Finding | undefined>> = {
  workspace: (value) => saying(textProblem('workspace', value) ?? workspaceProblem(value as string)),
  max_concurrent: (value) =>
    saying(
      Number.isInteger(value) && (value as number) >= 0 && (value as number) <= 1_000
        ? undefined
        : `max_concurrent is ${quoteValue(value)}: it needs a whole number from 0 (no limit) to 1000`,
    ),
  model: (value) => saying(textProblem('model', value) ?? modelProblem(value as string)),
  out: (value) => saying(textProblem('out', value)),
  dequeue_strategy: (value) =>
    typeof value === 'string' && (DEQUEUE_STRATEGIES as readonly string[]).includes(value)
      ? undefined
      : unknownName('dequeue_strategy', typeof value === 'string' ? value : quoteValue(value), DEQUEUE_STRATEGIES),
};

/** Reads the frontmatter; `firstLine` is the line of the file at which the text begins. */
export function readFrontmatter(
  text: string,
  firstLine: number,
): { readonly settings: FlightSettings; readonly problems: readonly FlightProblem[] } {
  const counter = new LineCounter();
  const document = parseDocument(text, { lineCounter: counter, prettyErrors: false });
  const placeOf = (offset: number): Pick<FlightProblem, 'line' | 'column'> => {
    const { line, col } = counter.linePos(offset);
    return { line: firstLine + Math.max(line, 1) - 1, column: Math.max(col, 1) };
  };
  const broken = document.errors.map(({ message, pos }) => ({ ...placeOf(pos[0]), message: firstSentence(message) }));
  if (broken.length > 0) return { settings: {}, problems: broken };
  const { contents } = document;
  if (contents === null || (isScalar(contents) && contents.value === null)) return { settings: {}, problems: [] };
  if (!isMap(contents)) {
    return { settings: {}, problems: [{ ...placeOf(0), message: 'the frontmatter has no keys and values' }] };
  }
  const problems: FlightProblem[] = [];
  const settings: Record<string, unknown> = {};
  for (const pair of contents.items) {
    const { key, value, keyAt, valueAt } = readPair(pair);
    const finding = keyProblem(key);
    if (finding !== undefined) {
      problems.push({ ...placeOf(keyAt), ...finding });
      continue;
    }
    const wrong = CHECKS[key as keyof FlightSettings](value);
    if (wrong !== undefined) problems.push({ ...placeOf(valueAt), ...wrong });
    // 0 means no limit, which the plan expresses by an absent field.
    else if (!(key === 'max_concurrent' && value === 0)) settings[key] = value;
  }
  return { settings, problems };
}

function readPair(pair: Pair): {
  readonly key: string;
  readonly value: unknown;
  readonly keyAt: number;
  readonly valueAt: number;
} {
  const { key, value } = pair as Pair<{ readonly range?: readonly number[] | null }>;
  const keyAt = key.range?.[0] ?? 0;
  const range = (value as { readonly range?: readonly number[] | null } | null)?.range;
  return {
    key: isScalar(key) ? String(key.value) : '',
    // No key accepts a list or a map. This text appears in the problem.
    value: isScalar(value) ? value.value : value === null ? null : 'a list or a map',
    keyAt,
    valueAt: range?.[0] ?? keyAt,
  };
}

function keyProblem(key: string): Finding | undefined {
  if (Object.hasOwn(CHECKS, key)) return undefined;
  return notYet('frontmatter key', key) ?? unknownName('frontmatter key', key, Object.keys(CHECKS));
}

function textProblem(key: string, value: unknown): string | undefined {
  return typeof value === 'string' && value.trim() !== ''
    ? undefined
    : `${key} is ${quoteValue(value)}: it needs a text`;
}

function saying(message: string | undefined): Finding | undefined {
  return message === undefined ? undefined : { message };
}

/** The first line of the parser's message; further lines quote the source. */
function firstSentence(message: string): string {
  return `the frontmatter is not valid YAML: ${message.split('\n')[0] ?? message}`;
}
