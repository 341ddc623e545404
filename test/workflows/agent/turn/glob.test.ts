import { describe, expect, it } from '@jest/globals';
import { globProblem, matchesGlob } from '../../../../workflows/agent/turn/glob.ts';

describe('matchesGlob', () => {
  it.each([
    ['*.go', 'main.go', true],
    ['*.go', 'cmd/main.go', true],
    ['*.go', 'main.go.orig', false],
    ['src/*.go', 'src/a.go', true],
    ['src/*.go', 'src/deep/a.go', false],
    ['**/*_test.go', 'a_test.go', true],
    ['**/*_test.go', 'pkg/deep/a_test.go', true],
    ['**/*_test.go', 'pkg/a.go', false],
    ['src/**', 'src/a/b', true],
    ['src/**', 'srcs/a', false],
    ['src/**/test/*.ts', 'src/test/a.ts', true],
    ['src/**/test/*.ts', 'src/x/y/test/a.ts', true],
    ['src/**/test/*.ts', 'src/x/test/y/a.ts', false],
    ['docs/[a-c]?.md', 'docs/b1.md', true],
    ['docs/[a-c]?.md', 'docs/d1.md', false],
    ['docs/[^a-c]?.md', 'docs/d1.md', true],
    ['[]]x', ']x', true],
    ['a\\*b', 'a*b', true],
    ['a\\*b', 'axb', false],
    ['**', 'any/thing', true],
    ['größe/*.md', 'größe/ü.md', true],
    ['???', 'äöü', true],
  ])('%s on %s is %s', (pattern, path, expected) => {
    expect(matchesGlob(pattern, path)).toBe(expected);
  });

  it('agrees with a slow, simple definition on random patterns', () => {
    const alphabet = ['a', 'b', '*', '?', '/', '**'];
    const random = seeded(7);
    for (let round = 0; round < 3_000; round += 1) {
      const pattern = Array.from({ length: 1 + random(6) }, () => alphabet[random(alphabet.length)]).join('');
      const path = Array.from({ length: 1 + random(6) }, () => ['a', 'b', '/'][random(3)]).join('');
      if (pattern.includes('***') || globProblem(pattern) !== undefined) continue;
      expect([pattern, path, matchesGlob(pattern, path)]).toEqual([pattern, path, plainMatch(pattern, path)]);
    }
  });

  it('takes no exponential time on a hostile pattern', () => {
    const pattern = `${'*a'.repeat(200)}b`;
    expect(matchesGlob(pattern, 'a'.repeat(3_000))).toBe(false);
    expect(matchesGlob(`${'**/a/'.repeat(80)}b`, Array.from({ length: 400 }, () => 'a').join('/'))).toBe(false);
  });
});

describe('globProblem', () => {
  it.each(['', '/etc/*', '[a', 'x\\', 'a'.repeat(501), '[]'])('refuses %j', (pattern) => {
    expect(globProblem(pattern)).toEqual(expect.any(String));
  });

  it.each(['*.go', '**/*', 'a[b-c]/d', '\\['])('accepts %j', (pattern) => {
    expect(globProblem(pattern)).toBeUndefined();
  });
});

/** The definition, by exhaustive search. */
function plainMatch(pattern: string, path: string): boolean {
  const segments = pattern.split('/');
  const wanted = segments.length === 1 ? ['**', ...segments] : segments;
  const list = (patterns: string[], parts: string[]): boolean => {
    const [first, ...rest] = patterns;
    if (first === undefined) return parts.length === 0;
    if (first === '**') return list(rest, parts) || (parts.length > 0 && list(patterns, parts.slice(1)));
    const [part, ...others] = parts;
    return part !== undefined && segment(first, part) && list(rest, others);
  };
  const segment = (tokens: string, text: string): boolean => {
    if (tokens === '') return text === '';
    if (tokens[0] === '*') return segment(tokens.slice(1), text) || (text !== '' && segment(tokens, text.slice(1)));
    return text !== '' && (tokens[0] === '?' || tokens[0] === text[0]) && segment(tokens.slice(1), text.slice(1));
  };
  return list(wanted, path.split('/'));
}

/** A small generator of reproducible numbers. */
function seeded(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (state * 1_103_515_245 + 12_345) % 2_147_483_648;
    return Math.floor((state / 2_147_483_648) * below);
  };
}
