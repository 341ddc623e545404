// Prints the results. Imports the types of measure, sampling and machine.
import type { MachineFacts } from './machine.ts';
import type { Measure } from './measure.ts';
import type { Taken } from './sampling.ts';
import type { Summary } from './statistics.ts';

/** The figures of a measure, or the reason why there are none. */
export interface Row {
  readonly measure: Pick<Measure, 'name' | 'title' | 'unit'>;
  readonly result: Taken | { readonly error: string };
}

const HEADINGS = ['measure', 'unit', 'ours p50', 'p95', 'floor p50', 'p95', 'ratio p50', 'p95', 'target', 'met'];

/** A table for people, followed by the notes. `beside` names the other side of the comparison. */
export function table(rows: readonly Row[], beside: 'floor' | 'before' = 'floor'): string {
  const headings = HEADINGS.map((heading) => heading.replace('floor', beside));
  const cells = [headings, ...rows.map(cellsOf)];
  const widths = headings.map((_, column) => Math.max(...cells.map((row) => row[column]?.length ?? 0)));
  const lines = cells.map((row) =>
    row
      .map((cell, column) => pad(cell, widths[column] ?? 0, column))
      .join('  ')
      .trimEnd(),
  );
  const rule = widths.map((width) => '-'.repeat(width)).join('  ');
  return [lines[0], rule, ...lines.slice(1), '', ...rows.flatMap(notesOf)].join('\n').trimEnd();
}

/** The same as JSON, for programs. */
export function json(machine: MachineFacts, rows: readonly Row[]): string {
  const measures = rows.map(({ measure: { name, title, unit }, result }) =>
    'error' in result
      ? { name, title, unit, error: result.error }
      : { name, title, unit, ...result, ratio_p50: ratio(result, 'p50'), ratio_p95: ratio(result, 'p95') },
  );
  return JSON.stringify({ machine, measures }, undefined, 2);
}

function cellsOf({ measure: { title, unit }, result }: Row): string[] {
  if ('error' in result) return [title, unit, '', '', '', '', '', '', '', 'not taken'];
  const { ours, floor, target, met } = result;
  const figures = (summary: Summary | undefined) =>
    summary === undefined ? ['', ''] : [figure(summary.p50), figure(summary.p95)];
  const ratios = [ratio(result, 'p50'), ratio(result, 'p95')].map((value) => value?.toFixed(2) ?? '');
  const verdict = ours === undefined ? '' : met ? 'yes' : 'NO';
  return [title, unit, ...figures(ours), ...figures(floor), ...ratios, target, verdict];
}

function notesOf({ measure: { name }, result }: Row): string[] {
  if ('error' in result) return [`${name}: not taken: ${result.error}`];
  return result.notes.map((note) => `${name}: ${note}`);
}

function ratio({ ours, floor }: Taken, percentile: 'p50' | 'p95'): number | undefined {
  return ours === undefined ? undefined : ours[percentile] / floor[percentile];
}

function figure(value: number): string {
  return value >= 100 ? value.toFixed(0) : value.toFixed(1);
}

/** Aligns texts to the left and figures to the right. */
function pad(cell: string, width: number, column: number): string {
  return column >= 2 && column <= 7 ? cell.padStart(width) : cell.padEnd(width);
}
