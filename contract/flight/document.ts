// Splits a flight's file into frontmatter, name, notes and one section per agent.
import { headingOf, markLines, splitLines, textOf } from './lines.ts';
import type { Line } from './lines.ts';
import type { FlightProblem } from './problem.ts';

/** An agent's section in the file. */
export interface Section {
  readonly slug: string;
  readonly line: number;
  readonly column: number;
  /** All lines below the heading. */
  readonly body: readonly Line[];
}

export interface FlightDocument {
  /** Lines between the fences; absent if there are none. */
  readonly frontmatter?: { readonly text: string; readonly line: number };
  readonly name: string;
  readonly notes: string;
  readonly sections: readonly Section[];
}

/** Splits the file. Collects problems and reads as much of the rest as possible. */
export function readDocument(source: string): {
  readonly document: FlightDocument;
  readonly lines: readonly string[];
  readonly problems: readonly FlightProblem[];
} {
  const lines = splitLines(source);
  const problems: FlightProblem[] = [];
  const nul = lines.findIndex((line) => line.includes('\0'));
  if (nul >= 0) {
    const column = (lines[nul] ?? '').indexOf('\0') + 1;
    problems.push({ line: nul + 1, column, message: 'the file contains a NUL character' });
  }
  const { frontmatter, bodyFrom, problem } = splitFrontmatter(lines);
  if (problem !== undefined) problems.push(problem);
  const { lines: body, unclosed } = markLines(lines.slice(bodyFrom), bodyFrom + 1);
  if (unclosed !== undefined) {
    problems.push({ line: unclosed.line, column: 1, message: `this ${unclosed.what} is never closed` });
  }
  const { name, notes, sections } = readBody(body, problems);
  return {
    document: { ...(frontmatter === undefined ? {} : { frontmatter }), name, notes, sections },
    lines,
    problems,
  };
}

function splitFrontmatter(lines: readonly string[]): {
  readonly frontmatter?: { readonly text: string; readonly line: number };
  readonly bodyFrom: number;
  readonly problem?: FlightProblem;
} {
  if (!isFence(lines[0])) return { bodyFrom: 0 };
  const end = lines.findIndex((line, index) => index > 0 && (isFence(line) || /^\.\.\.[ \t]*$/.test(line)));
  if (end < 0) {
    return {
      bodyFrom: lines.length,
      problem: { line: 1, column: 1, message: 'the frontmatter is never closed', hint: 'end it with a line ---' },
    };
  }
  return { frontmatter: { text: lines.slice(1, end).join('\n'), line: 2 }, bodyFrom: end + 1 };
}

function isFence(line: string | undefined): boolean {
  return line !== undefined && /^---[ \t]*$/.test(line);
}

function readBody(
  lines: readonly Line[],
  problems: FlightProblem[],
): Pick<FlightDocument, 'name' | 'notes' | 'sections'> {
  let name: string | undefined;
  const notes: Line[] = [];
  const sections: (Section & { readonly body: Line[] })[] = [];
  for (const line of lines) {
    const heading = headingOf(line);
    const at = { line: line.number, column: heading?.column ?? 1 };
    if (heading?.level === 1) {
      if (name !== undefined) problems.push({ ...at, message: 'a flight has one name: this is a second `#` heading' });
      else if (heading.text === '') problems.push({ ...at, message: 'the name of the flight is empty' });
      name ??= heading.text;
    } else if (heading?.level === 2) {
      if (name === undefined && sections.length === 0) problems.push(nameless(at));
      sections.push({ slug: heading.text, ...at, body: [] });
    } else if (sections.length > 0) {
      sections.at(-1)?.body.push(line);
    } else if (name !== undefined) {
      notes.push(line);
    } else if (line.text.trim() !== '' && !line.verbatim && !/^ {0,3}<!--.*-->\s*$/.test(line.text)) {
      problems.push(nameless(at));
      // Report this once: the next lines count as notes of the flight without a name.
      name = '';
    }
  }
  if (name === undefined && sections.length === 0) problems.push(nameless({ line: lines[0]?.number ?? 1, column: 1 }));
  return { name: name ?? '', notes: textOf(notes), sections };
}

function nameless(at: { readonly line: number; readonly column: number }): FlightProblem {
  return { ...at, message: 'the flight has no name', hint: 'begin it with a heading: # Name of the flight' };
}
