// Runs all Jest tests and counts the results.
import { mkdtemp, readFile, rm, stat } from 'node:fs/promises';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { bin, runBounded } from './run-bounded.ts';

export interface Count {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
}

/**
 * Two more than cores, because tests wait for servers and agents half of the time. More than four would slow each other
 * down.
 */
const WORKERS = Math.min(4, availableParallelism() + 2);

/** Jest exits within a second after it has written the results, unless a test has left something open. */
const EXIT_MS = 30_000;

interface JestResults {
  readonly numPassedTests: number;
  readonly numFailedTests: number;
  readonly numPendingTests: number;
  readonly numTodoTests: number;
  readonly numRuntimeErrorTestSuites: number;
  readonly testResults: readonly {
    readonly assertionResults: readonly { readonly status: string; readonly fullName: string }[];
  }[];
}

/**
 * Runs Jest and prints the names of skipped tests. A run that leaves something open has failed.
 * @param env added to the variables of this process
 */
export async function runJest(end: AbortSignal, env: NodeJS.ProcessEnv): Promise<Count> {
  const folder = await mkdtemp(join(tmpdir(), 'murmur-test-'));
  const file = join(folder, 'results.json');
  const hanging = new AbortController();
  try {
    const finished = runBounded(jestArgs(file), AbortSignal.any([end, hanging.signal]), { env, isShown: true });
    void endHanging(file, finished, hanging);
    const { code } = await finished;
    const results = await readResults(file);
    if (results === undefined) return { passed: 0, failed: 1, skipped: 0 };
    for (const name of skippedIn(results)) process.stdout.write(`skipped: ${name}\n`);
    if (hanging.signal.aborted) process.stdout.write('jest did not end: a test has left something open\n');
    const broken = results.numFailedTests + results.numRuntimeErrorTestSuites;
    const failed = broken === 0 && code !== 0 ? 1 : broken;
    return { passed: results.numPassedTests, failed, skipped: results.numPendingTests + results.numTodoTests };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

function jestArgs(resultsFile: string): readonly string[] {
  const output = ['--json', `--outputFile=${resultsFile}`, '--verbose=false', '--reporters=default'];
  return [bin('jest/bin/jest.js'), `--maxWorkers=${WORKERS.toString()}`, ...output];
}

async function endHanging(file: string, finished: Promise<unknown>, hanging: AbortController): Promise<void> {
  let ended = false;
  void finished.then(() => (ended = true));
  while (!ended && !(await exists(file))) await delay(500);
  for (const until = Date.now() + EXIT_MS; !ended && Date.now() < until;) await delay(500);
  if (!ended) hanging.abort();
}

async function readResults(file: string): Promise<JestResults | undefined> {
  try {
    return JSON.parse(await readFile(file, 'utf8')) as JestResults;
  } catch {
    return undefined;
  }
}

function skippedIn(results: JestResults): readonly string[] {
  return results.testResults
    .flatMap(({ assertionResults }) => assertionResults)
    .filter(({ status }) => status === 'pending' || status === 'todo')
    .map(({ fullName }) => fullName);
}

async function exists(file: string): Promise<boolean> {
  return stat(file).then(
    () => true,
    () => false,
  );
}
