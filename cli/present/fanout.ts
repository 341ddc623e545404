// Prints the result of a fan-out for people: the created agents, and the failed ones with their reasons.
import type { OutputOf } from '../../contract/operation.ts';
import type { Operations } from '../../contract/operations/index.ts';
import { AlreadyReported } from '../output/failure.ts';
import { oneLine } from '../output/sanitize.ts';
import type { Terminal } from '../output/terminal.ts';

export type Fanout = OutputOf<Operations['each']>;

/** Prints the result. Throws if an item failed, so that the exit status shows it. */
export function reportFanout(result: Fanout, terminal: Terminal, json: boolean): void {
  const { count, descriptions, failed, slugs } = result;
  const all = count + failed.length;
  for (const { slug, message } of failed) terminal.complain(`murmur each: spawn ${slug}: ${message}`);
  if (json) terminal.json(result);
  else if (descriptions !== undefined) terminal.line(preview(slugs, descriptions));
  else {
    for (const slug of slugs) terminal.line(slug);
    const refused = failed.length === 0 ? '' : ` (${failed.length.toString()} failed)`;
    terminal.line(`Spawned ${count.toString()}/${all.toString()} agents${refused}`);
  }
  if (failed.length === 0) return;
  const summary = `${failed.length.toString()} spawn(s) failed`;
  terminal.complain(`murmur: ${summary}`, 'red');
  throw new AlreadyReported('INTERNAL', summary);
}

function preview(slugs: readonly string[], descriptions: readonly string[]): string {
  const width = slugs.reduce((longest, slug) => Math.max(longest, slug.length), 0);
  const lines = slugs.map((slug, index) => `${slug.padEnd(width)}  ${oneLine(descriptions[index] ?? '')}`);
  return [...lines, `(${slugs.length.toString()} agents)`].join('\n');
}
