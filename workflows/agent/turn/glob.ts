// Globs over the paths of changed files: Go's path.Match plus `**`. Pure, no imports.
// A library is not used, because a glob is evaluated in replayed workflow code: its result must not change with a
// release. A translation to a regular expression could also take exponential time on a pattern written by a model.

/** What is wrong with a pattern, or undefined. */
export function globProblem(pattern: string): string | undefined {
  if (pattern === '') return 'the pattern is empty';
  if (pattern.length > 500) return `the pattern has ${pattern.length} characters, the limit is 500`;
  if (pattern.startsWith('/')) return `pattern ${JSON.stringify(pattern)} starts with "/", but paths are relative`;
  return pattern.split('/').some((segment) => tokenize(segment) === undefined)
    ? `pattern ${JSON.stringify(pattern)} has an unfinished "[" or "\\"`
    : undefined;
}

/**
 * Whether a relative path matches. `*` and `?` stay within a segment, `[a-z]` and `[^a-z]` are classes, `\` quotes, and
 * a segment `**` stands for zero or more segments. A pattern without a slash matches a file of that name in any folder,
 * as in .gitignore. An invalid pattern matches nothing.
 */
export function matchesGlob(pattern: string, path: string): boolean {
  const segments = pattern.split('/').map((segment) => (segment === '**' ? ANY_SEGMENTS : tokenize(segment)));
  if (!segments.every((segment) => segment !== undefined)) return false;
  const wanted = segments.length === 1 ? [ANY_SEGMENTS, ...segments] : segments;
  return matchList(wanted, path.split('/'), ANY_SEGMENTS, (tokens, segment) =>
    matchList(tokens, [...segment], ANY_TEXT, (token, character) => token(character)),
  );
}

/** Whether the pattern allows a character at this position. */
type Token = (character: string) => boolean;

const ANY_CHARACTER: Token = () => true;
/** `*`, recognised by identity. */
const ANY_TEXT: Token = () => true;
/** `**`, recognised by identity. */
const ANY_SEGMENTS: Token[] = [];

/**
 * Matches a list of patterns, in which `wildcard` stands for any number of items, against a list of items. On a
 * mismatch only the last wildcard is extended, so the time is at most the product of the two lengths.
 */
function matchList<P, T>(
  patterns: readonly P[],
  items: readonly T[],
  wildcard: P,
  matches: (pattern: P, item: T) => boolean,
): boolean {
  let at = 0;
  let widened: { at: number; from: number } | undefined;
  for (let index = 0; index < items.length;) {
    const pattern = patterns[at];
    if (pattern !== undefined && pattern === wildcard) {
      at += 1;
      widened = { at, from: index };
    } else if (pattern !== undefined && matches(pattern, items[index] as T)) {
      at += 1;
      index += 1;
    } else if (widened !== undefined) {
      widened = { at: widened.at, from: widened.from + 1 };
      at = widened.at;
      index = widened.from;
    } else {
      return false;
    }
  }
  return patterns.slice(at).every((pattern) => pattern === wildcard);
}

/** The tokens of one segment; undefined if it is malformed. */
function tokenize(segment: string): Token[] | undefined {
  const characters = [...segment];
  const tokens: Token[] = [];
  let at = 0;
  while (at < characters.length) {
    const character = characters[at] as string;
    at += 1;
    if (character === '*') {
      if (tokens[tokens.length - 1] !== ANY_TEXT) tokens.push(ANY_TEXT);
    } else if (character === '?') {
      tokens.push(ANY_CHARACTER);
    } else if (character === '[') {
      const found = readClass(characters, at);
      if (found === undefined) return undefined;
      tokens.push(found.token);
      at = found.next;
    } else if (character === '\\') {
      const quoted = characters[at];
      if (quoted === undefined) return undefined;
      tokens.push(literal(quoted));
      at += 1;
    } else {
      tokens.push(literal(character));
    }
  }
  return tokens;
}

function literal(wanted: string): Token {
  return (character) => character === wanted;
}

/** Reads a class from the character after its `[`; undefined if it is empty or not closed. */
function readClass(characters: readonly string[], start: number): { token: Token; next: number } | undefined {
  let at = start;
  const negated = characters[at] === '^' || characters[at] === '!';
  if (negated) at += 1;
  const ranges: [string, string][] = [];
  while (at < characters.length && (characters[at] !== ']' || ranges.length === 0)) {
    const from = readQuoted(characters, at);
    if (from === undefined) return undefined;
    at = from.next;
    if (characters[at] === '-' && characters[at + 1] !== undefined && characters[at + 1] !== ']') {
      const to = readQuoted(characters, at + 1);
      if (to === undefined) return undefined;
      ranges.push([from.character, to.character]);
      at = to.next;
    } else {
      ranges.push([from.character, from.character]);
    }
  }
  if (at >= characters.length || ranges.length === 0) return undefined;
  const within = (character: string): boolean => ranges.some(([low, high]) => low <= character && character <= high);
  return { token: (character) => within(character) !== negated, next: at + 1 };
}

function readQuoted(characters: readonly string[], at: number): { character: string; next: number } | undefined {
  const index = characters[at] === '\\' ? at + 1 : at;
  const character = characters[index];
  return character === undefined ? undefined : { character, next: index + 1 };
}
