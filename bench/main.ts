// Entry of `npm run bench`: measures, prints, and ends everything it started. Imports the bench's own parts.
import { fileURLToPath } from 'node:url';
import { USAGE, readArguments, type BenchArguments } from './arguments.ts';
import { openLaboratory, type Laboratory } from './laboratory/laboratory.ts';
import { machineFacts } from './machine.ts';
import { MEASURES } from './measures/index.ts';
import { json, table, type Row } from './report.ts';
import { take } from './sampling.ts';

const PACKAGE_ROOT = fileURLToPath(new URL('..', import.meta.url));

process.exitCode = await main(process.argv.slice(2));

async function main(args: readonly string[]): Promise<number> {
  let options: BenchArguments;
  try {
    options = readArguments(
      args,
      MEASURES.map(({ name }) => name),
    );
  } catch (error) {
    process.stderr.write(`${messageOf(error)}\n\n${USAGE}\n`);
    return 2;
  }
  if (options.help) {
    process.stdout.write(`${USAGE}\n`);
    return 0;
  }

  say('starting the stack');
  const opening = openLaboratory({ packageRoot: PACKAGE_ROOT, floorsOnly: options.floors });
  const close = closeOnce(opening);
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.once(signal, () => void close().finally(() => process.exit(130)));
  }
  try {
    const laboratory = await opening;
    const rows = await measure(laboratory, options);
    const facts = await machineFacts(laboratory.claude);
    const text = options.json ? json(facts, rows) : `${Object.values(facts).join(' · ')}\n\n${table(rows)}`;
    process.stdout.write(`${text}\n`);
    return rows.some(({ result }) => 'error' in result) ? 1 : 0;
  } catch (error) {
    say(messageOf(error));
    return 1;
  } finally {
    await close();
  }
}

async function measure(laboratory: Laboratory, { only, quick, floors }: BenchArguments): Promise<readonly Row[]> {
  const rows: Row[] = [];
  for (const each of MEASURES.filter(({ name }) => only?.includes(name) ?? true)) {
    const pairs = quick ? each.samples.quick : each.samples.full;
    const onPair = (pair: number) => say(`${each.name}: ${pair.toString()} of ${pairs.toString()}`);
    try {
      rows.push({ measure: each, result: await take(each, laboratory, { pairs, floorsOnly: floors, onPair }) });
    } catch (error) {
      say(`${each.name}: not taken: ${messageOf(error)}`);
      rows.push({ measure: each, result: { error: messageOf(error) } });
    }
  }
  return rows;
}

/** What did not open has ended what it started. */
function closeOnce(opening: Promise<Laboratory>): () => Promise<void> {
  let closing: Promise<void> | undefined;
  const close = () =>
    opening.then(
      (laboratory) => laboratory.close(),
      () => undefined,
    );
  return () => (closing ??= close());
}

function say(line: string): void {
  process.stderr.write(`${line}\n`);
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
