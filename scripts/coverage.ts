// `npm run test:coverage [-- jest arguments]`: runs tests from the sources and prints the share of covered lines, over
// all processes. Node writes a report for each process that exits normally; a killed process has none.
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { stripTypeScriptTypes } from 'node:module';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { LAYERS, layerOf } from '../layers.ts';
import { bin, ROOT, runBounded } from './test/run-bounded.ts';
import { withTemporal } from './test/temporal.ts';

/** Time limit of a run, as for `npm test`, in milliseconds. */
const WHOLE_RUN_MS = 25 * 60_000;

interface Range {
  readonly startOffset: number;
  readonly endOffset: number;
  readonly count: number;
}

interface Report {
  readonly result: readonly {
    readonly url: string;
    readonly functions: readonly { readonly ranges: readonly Range[] }[];
  }[];
}

interface Lines {
  readonly total: number;
  readonly run: number;
}

const folder = await mkdtemp(join(tmpdir(), 'murmur-coverage-'));
try {
  const jest = [bin('jest/bin/jest.js'), '--verbose=false', ...process.argv.slice(2)];
  const { code } = await withTemporal((server) =>
    runBounded(jest, AbortSignal.timeout(WHOLE_RUN_MS), {
      env: { ...server, NODE_V8_COVERAGE: folder },
      isShown: true,
    }),
  );
  process.exitCode = code ?? 1;
  print(await linesByLayer(await charactersRun(folder)));
} finally {
  await rm(folder, { recursive: true, force: true });
}

/** For each source file that a process loaded: which of its characters any process ran. */
async function charactersRun(reports: string): Promise<ReadonlyMap<string, Uint8Array>> {
  const files = new Map<string, Uint8Array>();
  for (const name of await readdir(reports)) {
    const text = await readFile(join(reports, name), 'utf8');
    const { result } = readReport(text);
    for (const { functions, url } of result) {
      if (!url.startsWith('file:')) continue;
      const file = relative(ROOT, fileURLToPath(url));
      if (!file.endsWith('.ts') || layerOf(file) === undefined) continue;
      const ranges = functions.flatMap((each) => each.ranges);
      const run = new Uint8Array(Math.max(0, ...ranges.map(({ endOffset }) => endOffset)));
      // Outer ranges first, because inner ranges override them.
      const nested = ranges.toSorted((a, b) => a.startOffset - b.startOffset || b.endOffset - a.endOffset);
      for (const { count, endOffset, startOffset } of nested) run.fill(count > 0 ? 1 : 0, startOffset, endOffset);
      const known = files.get(file);
      files.set(file, known === undefined ? run : run.map((each, index) => each | (known[index] ?? 0)));
    }
  }
  return files;
}

/** Reads a report. A process that was killed while it wrote leaves an incomplete one. */
function readReport(text: string): Report {
  try {
    return JSON.parse(text) as Report;
  } catch {
    return { result: [] };
  }
}

async function linesByLayer(run: ReadonlyMap<string, Uint8Array>): Promise<ReadonlyMap<string, Lines>> {
  const layers = new Map<string, Lines>();
  for (const layer of Object.keys(LAYERS)) {
    for (const entry of await readdir(join(ROOT, layer), { recursive: true })) {
      const file = join(layer, entry);
      if (!file.endsWith('.ts') || layerOf(file) !== layer) continue;
      const { run: ran, total } = linesOf(await readFile(join(ROOT, file), 'utf8'), run.get(file));
      const known = layers.get(layer) ?? { total: 0, run: 0 };
      layers.set(layer, { total: known.total + total, run: known.run + ran });
    }
  }
  return layers;
}

/** Counts lines of code, without types, comments and lines of brackets. Node strips types without moving code. */
function linesOf(source: string, run: Uint8Array | undefined): Lines {
  let offset = 0;
  let total = 0;
  let ran = 0;
  for (const line of stripTypeScriptTypes(source).split('\n')) {
    const code = line.trim();
    if (/[\w'"`]/.test(code) && !/^(\/\/|\/\*|\*)/.test(code)) {
      total += 1;
      if (run?.[offset + line.indexOf(code)] === 1) ran += 1;
    }
    offset += line.length + 1;
  }
  return { total, run: ran };
}

function print(layers: ReadonlyMap<string, Lines>): void {
  const all = [...layers.values()].reduce((sum, { run, total }) => ({ total: sum.total + total, run: sum.run + run }));
  const rows = [...layers, ['all', all] as const];
  for (const [name, { run, total }] of rows) {
    const share = ((100 * run) / Math.max(total, 1)).toFixed(1).padStart(5);
    process.stdout.write(`${name.padEnd(24)} ${share} % of ${total.toString()} lines\n`);
  }
}
