// Parsing of a flight's file.
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it, test } from '@jest/globals';
import { graphText } from '../../../contract/flight/graph-text.ts';
import { parseFlight, readFlight } from '../../../contract/flight/parse.ts';

const DEPLOY = `---
workspace: platform
max_concurrent: 2
model: fable-5
out: push
dequeue_strategy: one
---

# Deploy the shop

Stop at the first sign of trouble.

\`\`\`sh
## not a heading
> needs: nobody
\`\`\`

## build
> out: respond

Build {version}.

### Notes
- ### stays text

## audit
> needs: build
> each: every module under \`modules/\`
> branch: audit/{}

Audit {}.

> a quotation, not a directive

## release
> needs: build, audit
> gate: approve
> model: opus

Release it.

## announce
> continues: release

Announce it.
`;

describe('a flight', () => {
  it('has frontmatter, name, notes, and agents with directives and prompt', () => {
    expect(parseFlight(DEPLOY, 'deploy.md')).toEqual({
      name: 'Deploy the shop',
      notes: 'Stop at the first sign of trouble.\n\n```sh\n## not a heading\n> needs: nobody\n```',
      settings: { workspace: 'platform', max_concurrent: 2, model: 'fable-5', out: 'push', dequeue_strategy: 'one' },
      nodes: [
        { slug: 'build', needs: [], out: 'respond', prompt: 'Build {version}.\n\n### Notes\n- ### stays text' },
        {
          slug: 'audit',
          needs: ['build'],
          each: 'every module under `modules/`',
          branch: 'audit/{}',
          prompt: 'Audit {}.\n\n> a quotation, not a directive',
        },
        { slug: 'release', needs: ['build', 'audit'], gate: 'approve', model: 'opus', prompt: 'Release it.' },
        { slug: 'announce', needs: [], continues: 'release', prompt: 'Announce it.' },
      ],
    });
  });

  it('is the same with Windows and old Mac line ends, and with a byte order mark', () => {
    const plan = parseFlight(DEPLOY, 'deploy.md');
    for (const end of ['\r\n', '\r']) {
      expect(parseFlight(`\uFEFF${DEPLOY.replaceAll('\n', end)}`, 'deploy.md')).toEqual(plan);
    }
  });

  it('needs no frontmatter and no agents: then the pilot does the work', () => {
    expect(parseFlight('# Tidy up\n\nRemove what is not used.\n', 'tidy.md')).toEqual({
      name: 'Tidy up',
      notes: 'Remove what is not used.',
      settings: {},
      nodes: [],
    });
  });

  it('has no limit with max_concurrent 0', () => {
    expect(parseFlight('---\nmax_concurrent: 0\n---\n# A\n', 'a.md').settings).toEqual({});
  });

  test.each([
    ['a longer fence', '````\n```\n## no\n````'],
    ['tildes', '~~~ md\n## no\n> gate: ci\n~~~'],
    ['a comment', '<!--\n## no\n-->'],
    ['four spaces', 'text\n\n    ## no'],
    ['no space after the marks', '##no'],
    ['seven marks', '####### no'],
  ])('a heading is not one in or with %s', (_what, text) => {
    const { nodes } = parseFlight(`# A\n## one\n\n${text}\n`, 'a.md');
    expect(nodes.map(({ slug }) => slug)).toEqual(['one']);
    expect(nodes[0]?.prompt).toContain('no');
  });

  it('a heading may have closing marks and up to three leading spaces', () => {
    expect(parseFlight('   # A flight ##\n  ## one ##\nDo it.', 'a.md')).toMatchObject({
      name: 'A flight',
      nodes: [{ slug: 'one' }],
    });
  });

  it('the example of the documentation is valid', async () => {
    const page = await readFile(join(import.meta.dirname, '../../../docs/flights.md'), 'utf8');
    const example = /^````markdown\n([\s\S]*?)^````$/m.exec(page)?.[1] ?? '';
    const plan = parseFlight(example, 'deploy.md');
    expect(graphText(plan)).toBe(
      [
        ' 1  build     out respond',
        ' 2  audit     needs build; each: the packages that `build` has listed; branch audit/{}',
        ' 3  release   needs build, audit; gate approve',
        ' 4  announce  continues release',
      ].join('\n'),
    );
  });

  it('reading any file ends with a flight or with problems at positions in the file', () => {
    const pieces = [
      '---',
      '\n',
      '\n',
      '\r\n',
      '# ',
      '## ',
      'one',
      'two',
      '> ',
      'needs: ',
      'continues: one',
      'each: x',
      '```',
      '~~~',
      '<!--',
      '-->',
      '{}',
      ',',
      '\0',
      ' ',
      'gate: approve',
      'max_concurrent: ',
      '1',
      '&a [*a]',
      '\u{1F600}',
    ];
    let seed = 1;
    const next = (): number => (seed = (seed * 48_271) % 2_147_483_647);
    for (let round = 0; round < 1_000; round += 1) {
      const source = Array.from({ length: next() % 40 }, () => pieces[next() % pieces.length] ?? '').join('');
      const { plan, lines, problems } = readFlight(source);
      for (const { line, column, message } of problems) {
        expect(message).not.toBe('');
        expect(line).toBeGreaterThanOrEqual(1);
        expect(line).toBeLessThanOrEqual(lines.length);
        expect(column).toBeGreaterThanOrEqual(1);
        expect(column).toBeLessThanOrEqual((lines[line - 1] ?? '').length + 1);
      }
      if (problems.length > 0) continue;
      const slugs = plan.nodes.map(({ slug }) => slug);
      expect(new Set(slugs).size).toBe(slugs.length);
      for (const { needs, continues } of plan.nodes) {
        for (const each of [...needs, ...(continues === undefined ? [] : [continues])]) expect(slugs).toContain(each);
      }
    }
  });
});
