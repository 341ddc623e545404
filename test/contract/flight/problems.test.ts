// The problems of a flight's file, with their positions.
import { describe, expect, it, test } from '@jest/globals';
import { parseFlight, readFlight } from '../../../contract/flight/parse.ts';
import { MurmurError } from '../../../contract/wire/errors.ts';

function errorOf(source: string): MurmurError {
  try {
    parseFlight(source, 'deploy.md');
  } catch (error) {
    if (error instanceof MurmurError) return error;
  }
  throw new Error('it was not refused');
}

/** Problems as `line:column: message (hint)`. */
function problemsOf(source: string): readonly string[] {
  return readFlight(source).problems.map(
    ({ line, column, message, hint }) =>
      `${line.toString()}:${column.toString()}: ${message}${hint === undefined ? '' : ` (${hint})`}`,
  );
}

const two = (first: string, second = ''): string => `# A\n## one\n${first}\nDo it.\n## two\n${second}\nDo it too.\n`;

describe('the error of an invalid flight', () => {
  it('names file, line and column, and shows the line with a caret', () => {
    const error = errorOf('# A\n## one\n> need: two\n\nDo it.\n');
    expect(error.code).toBe('INVALID_ARGUMENT');
    expect(error.message).toBe(
      'deploy.md:3:3: unknown directive "need" (did you mean needs?)\n\n  3 | > need: two\n        ^',
    );
    expect(error.details).toMatchObject({ file: 'deploy.md', problems: [{ line: 3, column: 3 }] });
  });

  it('lists all problems, in the order of the file', () => {
    expect(problemsOf('---\nmax_concurent: 1\n---\n# A\n## One\nDo it.\n## two\n> needs: tow\n\nDo it.')).toEqual([
      '2:1: unknown frontmatter key "max_concurent" (did you mean max_concurrent?)',
      '5:4: slug "One" is not valid: it needs 1 to 63 lower-case letters, digits and hyphens, with a letter or digit at both ends',
      '8:10: unknown agent "tow" (did you mean two?)',
    ]);
  });

  test.each([
    ['no name', 'Just text', '1:1: the flight has no name (begin it with a heading: # Name of the flight)'],
    ['an empty file', '', '1:1: the flight has no name (begin it with a heading: # Name of the flight)'],
    ['two names', '# A\n# B', '2:3: a flight has one name: this is a second `#` heading'],
    ['no prompt', '# A\n## one\n> gate: approve', '2:4: agent "one" has no prompt'],
    ['a NUL', '# A\nx\0y', '2:2: the file contains a NUL character'],
    ['an open fence', '# A\n## one\nx\n```\n## two', '4:1: this code fence is never closed'],
    ['an open frontmatter', '---\nmodel: x\n# A', '1:1: the frontmatter is never closed (end it with a line ---)'],
    ['broken YAML', '---\nmodel: [x\n---\n# A', expect.stringMatching(/^\d:\d+: the frontmatter is not valid YAML: /)],
    ['a key twice', '---\nmodel: x\nmodel: y\n---\n# A', expect.stringMatching(/^3:1: .*unique/)],
    ['a list for frontmatter', '---\n- x\n---\n# A', '2:1: the frontmatter has no keys and values'],
    [
      'a word for a number',
      '---\nmax_concurrent: many\n---\n# A',
      '2:17: max_concurrent is "many": it needs a whole number from 0 (no limit) to 1000',
    ],
    ['a strategy', '---\ndequeue_strategy: al\n---\n# A', '2:19: unknown dequeue_strategy "al" (did you mean all?)'],
    [
      'personas in the frontmatter',
      '---\npersona: architect\n---\n# A',
      '2:1: frontmatter key "persona" is not available: there are no personas in this version: say it in the notes',
    ],
  ])('%s', (_what, source, problem) => {
    expect(problemsOf(source)).toContainEqual(problem);
  });

  test.each([
    [
      'personas',
      two('> persona: tester'),
      '3:3: directive "persona" is not available: there are no personas in this version: say it in the prompt',
    ],
    [
      'gates of a forge',
      two('> gate: approve, ci'),
      '3:18: gate "ci" is not available: there are no checks in this version: use `gate: approve`, or let the agent run the tests',
    ],
    ['an unknown gate', two('> gate: aprove'), '3:9: unknown gate "aprove" (did you mean approve?)'],
    [
      'a quotation for a directive',
      two('> do it well'),
      '3:3: this is not a directive (write `> key: value`; a quotation comes after a line of the prompt)',
    ],
    ['a directive twice', two('> out: push\n> out: respond'), '4:3: directive out is given twice'],
    ['a directive without a value', two('> needs:'), '3:3: directive needs has no value'],
    ['a model', two('> model: two words'), '3:10: a model name has letters, digits and . _ : / @ [ ] -'],
    ['a branch', two('> branch: a..b'), '3:11: branch "a..b" is not a valid branch name'],
    ['an unknown need', two('> needs: two, three'), '3:15: unknown agent "three" (use one of one, two)'],
    ['itself', two('> needs: one'), '3:10: agent "one" waits for itself'],
    ['a need twice', two('> needs: two, two'), '3:15: agent "two" is needed twice'],
    ['two to continue', two('', '> continues: one, one'), '6:19: continues takes exactly one agent'],
    [
      'needs beside continues',
      two('', '> continues: one\n> needs: one'),
      '7:10: an agent that continues another one has no needs: it waits for that one',
    ],
    [
      'a model beside continues',
      two('', '> continues: one\n> model: opus'),
      "7:10: an agent that continues another one has the other's model",
    ],
    [
      'items beside continues',
      two('', '> continues: one\n> each: files'),
      "7:9: an agent that continues another one has the other's items",
    ],
    ['an agent twice', '# A\n## one\nx\n## one\ny', '4:4: agent "one" is defined twice: first in line 2'],
    [
      'each without a place for the item',
      two('> each: all files'),
      '3:9: the prompt of an `each` agent holds {} where the item belongs',
    ],
    [
      'one branch for all items',
      '# A\n## one\n> each: files\n> branch: x\n\n{}',
      '4:11: the branch of an `each` agent holds {}, as two agents cannot share one',
    ],
  ])('%s', (_what, source, problem) => {
    expect(problemsOf(source)).toContain(problem);
  });

  it('an agent that is continued twice', () => {
    const source = '# A\n## a\nx\n## b\n> continues: a\n\nx\n## c\n> continues: a\n\nx\n';
    expect(problemsOf(source)).toEqual(['9:14: agent "a" is continued already by "b"']);
  });

  it('a cycle over needs and continues, reported once', () => {
    const source = '# A\n## a\n> needs: c\n\nx\n## b\n> continues: a\n\nx\n## c\n> needs: b\n\nx\n';
    expect(problemsOf(source)).toEqual(['3:10: a cycle: a waits for c waits for b waits for a']);
  });

  it('too many agents, and a file above the size limit', () => {
    const many = Array.from({ length: 101 }, (_, index) => `## a${index.toString()}\nx`).join('\n');
    expect(problemsOf(`# A\n${many}`)).toEqual(['202:4: a flight has at most 100 agents']);
    expect(problemsOf(`# A\n${'x'.repeat(140_000)}`)).toEqual(['1:1: the file has 140004 bytes, the limit is 131072']);
  });

  it('shows control characters of the source as spaces', () => {
    expect(errorOf('# A\n## one\n> \u001b[2Jx: y\n\nx').message).not.toContain('\u001b');
  });
});
