// What the documents refer to exists: files, folders, headings, and the tests that prove a promise.
import { existsSync, readFileSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { ROOT } from './imports.ts';

const pages = await readdir(join(ROOT, 'docs'), { recursive: true });
const DOCUMENTS = [
  'README.md',
  'AGENTS.md',
  'CHANGELOG.md',
  ...pages.filter((page) => page.endsWith('.md')).map((page) => join('docs', page)),
];

function textOf(document: string): string {
  return readFileSync(join(ROOT, document), 'utf8');
}

/** The fragment by which a heading can be linked to. */
function fragmentOf(heading: string): string {
  return heading
    .toLowerCase()
    .replace(/[^\p{Letter}\p{Number}_\- ]/gu, '')
    .replaceAll(' ', '-');
}

function headingsOf(document: string): readonly string[] {
  return [...textOf(document).matchAll(/^#+ (.+)$/gm)].map(([, heading = '']) => fragmentOf(heading));
}

test.each(DOCUMENTS)('the links of %s lead to files and headings', (document) => {
  const links = [...textOf(document).matchAll(/\]\(([^)\s]+)\)/g)].map(([, link = '']) => link);
  const broken = links.filter((link) => {
    if (/^https?:/.test(link)) return false;
    const [path = '', fragment] = link.split('#');
    const target = path === '' ? document : join(dirname(document), path);
    if (!existsSync(join(ROOT, target))) return true;
    return fragment !== undefined && !headingsOf(target).includes(fragment);
  });
  expect(broken).toEqual([]);
});

describe.each(['docs/security.md', 'docs/failure-modes.md'])('the tables of %s', (document) => {
  const rows = textOf(document)
    .split('\n')
    .filter((line) => line.startsWith('|'));
  const tests = rows
    .flatMap((row) => [...(row.split('|').at(-2) ?? '').matchAll(/`([a-z][\w-]*(?:\/[\w-]+)*)`/g)])
    .map(([, name = '']) => name.replace(/^test\//, ''));

  test('name tests that exist: a file, or a folder of tests', () => {
    expect(tests.length).toBeGreaterThan(0);
    const missing = tests.filter((name) => {
      const path = join(ROOT, 'test', name);
      return !existsSync(path) && !existsSync(`${path}.test.ts`);
    });
    expect(missing).toEqual([]);
  });
});
