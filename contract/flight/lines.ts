// The lines of a Markdown text. Lines in code fences and comments are marked, because they are not parsed.

/** A line of the file, without its end. */
export interface Line {
  readonly text: string;
  /** From 1. */
  readonly number: number;
  /** Whether it is in a code fence or an HTML comment, including the lines that begin and end one. */
  readonly verbatim: boolean;
}

/** An ATX heading. */
export interface Heading {
  readonly level: number;
  readonly text: string;
  /** Column of the text, from 1. */
  readonly column: number;
}

/** Splits a text at any kind of line end, and drops a byte order mark. */
export function splitLines(source: string): readonly string[] {
  return source.replace(/^\uFEFF/, '').split(/\r\n|\n|\r/);
}

/** Marks verbatim lines. `unclosed` is the first line of a fence or comment that never ends. */
export function markLines(
  texts: readonly string[],
  first: number,
): { readonly lines: readonly Line[]; readonly unclosed?: { readonly line: number; readonly what: string } } {
  const lines: Line[] = [];
  let open: { readonly what: string; readonly line: number; readonly closes: (text: string) => boolean } | undefined;
  for (const [index, text] of texts.entries()) {
    const number = first + index;
    if (open !== undefined) {
      if (open.closes(text)) open = undefined;
      lines.push({ text, number, verbatim: true });
      continue;
    }
    open = opening(text, number);
    lines.push({ text, number, verbatim: open !== undefined });
  }
  return { lines, ...(open === undefined ? {} : { unclosed: { line: open.line, what: open.what } }) };
}

function opening(
  text: string,
  line: number,
): { readonly what: string; readonly line: number; readonly closes: (text: string) => boolean } | undefined {
  const fence = /^ {0,3}(`{3,}(?=[^`]*$)|~{3,})/.exec(text)?.[1];
  if (fence !== undefined) {
    const mark = fence.startsWith('`') ? '`' : '~';
    const end = new RegExp(`^ {0,3}${mark}{${String(fence.length)},}[ \\t]*$`);
    return { what: 'code fence', line, closes: (each) => end.test(each) };
  }
  if (/^ {0,3}<!--/.test(text) && !text.includes('-->')) {
    return { what: 'comment', line, closes: (each) => each.includes('-->') };
  }
  return undefined;
}

/** The line as a heading; undefined if it is not one. */
export function headingOf({ text, verbatim }: Line): Heading | undefined {
  if (verbatim) return undefined;
  const match = /^( {0,3}(#{1,6})(?:[ \t]+|$))(.*)$/.exec(text);
  if (match === null) return undefined;
  const [, lead = '', marks = '', rest = ''] = match;
  const content = rest.replace(/(?:^|[ \t]+)#+[ \t]*$/, '').trim();
  return { level: marks.length, text: content, column: lead.length + 1 };
}

/** The text of lines, without empty lines at both ends. */
export function textOf(lines: readonly Line[]): string {
  return lines
    .map(({ text }) => text)
    .join('\n')
    .replace(/^(?:[ \t]*\n)+/, '')
    .trimEnd();
}
