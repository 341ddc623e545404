// Prints tables.
import { oneLine } from '../output/sanitize.ts';

/** Rows below their headings, with two spaces between columns and no trailing spaces. Each cell is on one line. */
export function table(heads: readonly string[], rows: readonly (readonly string[])[]): string {
  const lines = [heads, ...rows.map((row) => row.map((cell) => oneLine(cell)))];
  const widths = heads.map((_, column) => Math.max(...lines.map((line) => [...(line[column] ?? '')].length)));
  return lines
    .map((line) =>
      line
        .map((cell, column) => cell + ' '.repeat((widths[column] ?? 0) - [...cell].length))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}

/** `name:  value` lines with aligned values. Entries without a value are omitted. */
export function keyValues(entries: readonly (readonly [string, string | undefined])[]): string {
  const shown = entries.filter((entry): entry is readonly [string, string] => (entry[1] ?? '') !== '');
  const width = Math.max(...shown.map(([name]) => name.length)) + 1;
  return shown.map(([name, value]) => `${`${name}:`.padEnd(width)} ${indentRest(value, width + 1)}`).join('\n');
}

function indentRest(text: string, by: number): string {
  return text.trimEnd().replaceAll('\n', `\n${' '.repeat(by)}`);
}
