// Entry of `npm run bench`: measures, prints, and ends all processes that it started. Imports the benchmark's own
// parts.
import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { USAGE, isAsked, readArguments, type BenchArguments } from './arguments.ts';
import { openLaboratory, type Laboratory } from './laboratory/laboratory.ts';
import { machineFacts } from './machine.ts';
import { MEASURES } from './measures/index.ts';
import { json, table, type Row } from './report.ts';
import { take, takeAgainst } from './sampling.ts';

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
  const opening = openBuilds(options);
  const close = closeOnce(opening);
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.once(signal, () => void close().finally(() => process.exit(130)));
  }
  try {
    const builds = await opening;
    const rows = await measure(builds, options);
    const facts = await machineFacts(builds.now.claude);
    const beside = builds.before === undefined ? 'floor' : 'before';
    const text = options.json ? json(facts, rows) : `${Object.values(facts).join(' · ')}\n\n${table(rows, beside)}`;
    process.stdout.write(`${text}\n`);
    return rows.some(({ result }) => 'error' in result) ? 1 : 0;
  } catch (error) {
    say(messageOf(error));
    return 1;
  } finally {
    await close();
  }
}

/** Opens the product of this checkout and, with `--against`, of another one. */
interface Builds {
  readonly now: Laboratory;
  readonly before?: Laboratory;
}

async function openBuilds({ floors, against }: BenchArguments): Promise<Builds> {
  const now = await openLaboratory({ packageRoot: PACKAGE_ROOT, floorsOnly: floors });
  if (against === undefined) return { now };
  try {
    return { now, before: await openLaboratory({ packageRoot: resolve(against), floorsOnly: false, beside: now }) };
  } catch (error) {
    await now.close();
    throw error;
  }
}

async function measure(builds: Builds, { only, quick, floors, samples }: BenchArguments): Promise<readonly Row[]> {
  const { now, before } = builds;
  const rows: Row[] = [];
  for (const each of MEASURES.filter(({ name }) => isAsked(name, only))) {
    const missing = await each.why?.();
    if (missing !== undefined && only === undefined) {
      say(`${each.name}: left out: ${missing}`);
      continue;
    }
    const pairs = samples ?? (quick ? each.samples.quick : each.samples.full);
    const onPair = (pair: number) => say(`${each.name}: ${pair.toString()} of ${pairs.toString()}`);
    try {
      if (missing !== undefined) throw new Error(missing);
      const result =
        before === undefined
          ? await take(each, now, { pairs, floorsOnly: floors, onPair })
          : await takeAgainst(each, { now, before }, { pairs, onPair });
      rows.push({ measure: each, result });
    } catch (error) {
      say(`${each.name}: not taken: ${messageOf(error)}`);
      rows.push({ measure: each, result: { error: messageOf(error) } });
    }
  }
  return rows;
}

/** Closes an opened part. A part that failed to open has cleaned up itself. */
function closeOnce(opening: Promise<Builds>): () => Promise<void> {
  let closing: Promise<void> | undefined;
  const close = () =>
    opening.then(
      async ({ now, before }) => {
        await before?.close();
        await now.close();
      },
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
