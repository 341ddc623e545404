import { describe, expect, it } from '@jest/globals';
import { readDelimiter, readItems } from '../../../../contract/wire/fanout/items.ts';
import { expandDescription, expandSlugs, requirePlaceholder } from '../../../../contract/wire/fanout/template.ts';
import { slugProblem } from '../../../../contract/wire/identity.ts';

describe('items', () => {
  it.each([
    ['lines, with or without a last newline', 'a\nb\n', ['a', 'b']],
    ['CRLF', 'a\r\nb\r\n', ['a', 'b']],
    ['blank lines', '\n a b \n  \n\t\nc', [' a b ', 'c']],
    ['a byte order mark', '\uFEFFa\nb', ['a', 'b']],
    ['duplicates, which are two agents', 'a\na', ['a', 'a']],
  ])('are %s', (_what, text, items) => {
    expect(readItems(text, 'on stdin')).toEqual(items);
  });

  it('are separated by other delimiters, and may contain newlines then', () => {
    expect(readItems('a\nb\0c\0', 'on stdin', readDelimiter('\\0'))).toEqual(['a\nb', 'c']);
    expect(readItems('a, b', 'on stdin', readDelimiter(', '))).toEqual(['a', 'b']);
    expect(() => readDelimiter('')).toThrow('the delimiter is empty');
  });

  it('are required, at most ten thousand, and without NUL', () => {
    expect(() => readItems('', 'on stdin')).toThrow('no items on stdin');
    expect(() => readItems('\r\n \n', 'in "list"')).toThrow('no items in "list"');
    expect(() => readItems('a\nb\0', 'on stdin')).toThrow('item 2 on stdin holds a NUL character');
    expect(readItems('a\n'.repeat(10_000), 'on stdin')).toHaveLength(10_000);
    expect(() => readItems('a\n'.repeat(10_001), 'on stdin')).toThrow('10001 items on stdin: at most 10000 at once');
  });
});

describe('slugs of a fan-out', () => {
  it.each([
    ['lint-{}', 'api-server', 'lint-api-server'],
    ['lint-{}', 'Pkg/API  Server!', 'lint-pkg-api-server'],
    ['{}-docs', '--x--', 'x-docs'],
    ['{}', 'Ünïcode straße', 'unicode-stra-e'],
    ['fix-{}', '日本語', 'fix-item'],
    ['{}-to-{}', 'A', 'a-to-a'],
    ['a-{}', 'x'.repeat(100), `a-${'x'.repeat(61)}`],
    // The shortened slug must not end in a dash.
    ['a-{}', `${'x'.repeat(60)}/y`, `a-${'x'.repeat(60)}`],
    ['{}-of-{}', 'y'.repeat(100), `${'y'.repeat(29)}-of-${'y'.repeat(29)}`],
  ])('%s with %j is %s', (template, item, slug) => {
    expect(expandSlugs(template, [item])).toEqual([slug]);
  });

  it('are unique after sanitising, in the order of the items', () => {
    expect(expandSlugs('{}', ['a b', 'a-b', 'A/B', 'a-b-2', 'a.b'])).toEqual([
      'a-b',
      'a-b-2',
      'a-b-3',
      'a-b-2-2',
      'a-b-4',
    ]);
  });

  it('stay valid and unique for ten thousand equal long items', () => {
    const slugs = expandSlugs(
      'job-{}',
      Array.from({ length: 10_000 }, () => 'q'.repeat(200)),
    );
    expect(new Set(slugs).size).toBe(10_000);
    expect(slugs.filter((slug) => slugProblem(slug) !== undefined)).toEqual([]);
    expect(slugs.at(-1)).toBe(`job-${'q'.repeat(53)}-10000`);
  });

  it.each([
    ['lint', 'slug "lint" has no {}'],
    ['Lint-{}', 'slug "Lint-a" is not valid'],
    [`${'x'.repeat(63)}{}`, 'leaves no room for the item'],
  ])('%s is not a valid template', (template, problem) => {
    expect(() => expandSlugs(template, ['a'])).toThrow(problem);
  });
});

it('a description contains the unchanged item, even one that looks like a template', () => {
  expect(expandDescription('Lint {} and test {}', "it's $& {} $1")).toBe("Lint it's $& {} $1 and test it's $& {} $1");
  expect(() => {
    requirePlaceholder('Lint it', 'description');
  }).toThrow('description "Lint it" has no {}');
});
