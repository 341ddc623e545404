import { describe, expect, test } from '@jest/globals';
import { json, table, type Row } from '../../bench/report.ts';
import { summarise } from '../../bench/statistics.ts';

const measure = { name: 'spawn', title: 'spawn → first model request', unit: 'ms' } as const;
const taken: Row = {
  measure,
  result: {
    floor: summarise([1000]),
    ours: summarise([1200]),
    target: '≤ 1.5 × floor',
    met: true,
    notes: ['2 activities'],
  },
};
const failed: Row = { measure: { ...measure, name: 'ls', title: 'murmur ls' }, result: { error: 'no stack' } };
const machine = {
  date: '2026-01-01T00:00:00.000Z',
  system: 'Linux 6',
  cpu: 'a CPU',
  cores: 2,
  memory_gb: 8,
  node: 'v24.0.0',
  git: 'git version 2',
  claude: '2.1.328',
};

describe('the table', () => {
  test('has ours, floor, ratio, target and verdict on one line, followed by the notes', () => {
    const lines = table([taken]).split('\n');
    expect(lines[2]?.split(/ {2,}/)).toEqual([
      ...['spawn → first model request', 'ms', '1200', '1200', '1000', '1000', '1.20', '1.20', '≤ 1.5 × floor', 'yes'],
    ]);
    expect(lines.at(-1)).toBe('spawn: 2 activities');
  });

  test('gives the reason for a measure that was not taken', () => {
    const text = table([taken, failed]);
    expect(text).toMatch(/murmur ls .*not taken/);
    expect(text).toContain('ls: not taken: no stack');
  });

  test('leaves our columns empty if only floors were taken', () => {
    const { ours: _, ...floors } = taken.result as Exclude<Row['result'], { error: string }>;
    expect(table([{ measure, result: { ...floors, met: false } }])).not.toMatch(/NO|yes/);
  });
});

test('the JSON has the machine, all figures and the ratios', () => {
  const document = JSON.parse(json(machine, [taken, failed])) as { measures: unknown[] };
  expect(document).toMatchObject({
    machine,
    measures: [
      { name: 'spawn', ours: { p50: 1200 }, floor: { p50: 1000 }, ratio_p50: 1.2, met: true },
      { name: 'ls', error: 'no stack' },
    ],
  });
});
