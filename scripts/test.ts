// `npm test`: all checks and tests. The last line counts passed and failed ones.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runJest } from './test/jest.ts';
import { packPackage, unpackPackage } from './test/package.ts';
import { bin, ROOT, runBounded } from './test/run-bounded.ts';
import { withTemporal } from './test/temporal.ts';

/** Development needs a Node that runs TypeScript directly. npm installs one. */
const NEEDED_NODE = [22, 18] as const;

/** A run takes some six minutes on two cores. Four times as long means that something hangs. */
const WHOLE_RUN_MS = 25 * 60_000;

interface Check {
  readonly name: string;
  readonly args: readonly string[];
}

/**
 * Two lists that run concurrently, each on one core. Lint and typecheck take ten seconds each, the others three or
 * less.
 */
const CHECKS: readonly (readonly Check[])[] = [
  [
    { name: 'lint', args: [bin('oxlint/bin/oxlint'), '--threads=1'] },
    { name: 'unused code', args: [bin('knip/bin/knip.js')] },
  ],
  [
    { name: 'typecheck', args: [bin('typescript/bin/tsc'), '-p', '.', '--singleThreaded'] },
    { name: 'format', args: [bin('oxfmt/bin/oxfmt'), '--check'] },
    { name: 'generated docs', args: ['scripts/reference.ts', '--check'] },
  ],
];

/**
 * Lint and typecheck are Go programs. They run with one thread, because more threads would compute the same types
 * again. Garbage collection starts at 2 GiB; they need about 1 GiB, so it does not run.
 */
const CHECK_ENV = { GOMAXPROCS: '1', GOGC: 'off', GOMEMLIMIT: '2GiB' };

assertNode();
const begun = performance.now();
const interrupted = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.once(signal, () => {
    interrupted.abort();
  });
}
const end = AbortSignal.any([AbortSignal.timeout(WHOLE_RUN_MS), interrupted.signal]);
const outcomes = (await Promise.all(CHECKS.map(runInTurn))).flat();
const tests = await withTemporal((server) => withPackage((program) => runJest(end, { ...server, ...program })));

const failed = tests.failed + outcomes.filter((ok) => !ok).length;
const passed = tests.passed + outcomes.filter((ok) => ok).length;
const minutes = ((performance.now() - begun) / 60_000).toFixed(1);
process.stdout.write(`\n${end.aborted ? 'stopped' : 'done'} after ${minutes} minutes\n`);
process.exitCode = failed === 0 && tests.passed > 0 && !end.aborted ? 0 : 1;
const skipped = tests.skipped === 0 ? '' : `, ${tests.skipped.toString()} skipped`;
process.stdout.write(`${passed.toString()} passed, ${failed.toString()} failed${skipped}\n`);

async function runInTurn(checks: readonly Check[]): Promise<readonly boolean[]> {
  const outcomes: boolean[] = [];
  for (const check of checks) outcomes.push(await runCheck(check));
  return outcomes;
}

/** Packs the package for the end-to-end tests, like for users. It also starts in half the time. */
async function withPackage<Result>(run: (env: NodeJS.ProcessEnv) => Promise<Result>): Promise<Result> {
  const folder = await mkdtemp(join(tmpdir(), 'murmur-package-'));
  try {
    const tarball = await packPackage(ROOT, folder, end);
    const program = await unpackPackage(tarball, ROOT, folder);
    return await run({ MURMUR_TEST_PACKAGE: tarball, MURMUR_TEST_PROGRAM: program });
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function runCheck({ args, name }: Check): Promise<boolean> {
  const start = performance.now();
  const { code, output } = await runBounded(args, end, { env: CHECK_ENV });
  const seconds = ((performance.now() - start) / 1_000).toFixed(1);
  process.stdout.write(`${code === 0 ? 'ok    ' : 'FAILED'} ${name} (${seconds} s)\n`);
  if (code !== 0) process.stdout.write(`${output.trimEnd()}\n\n`);
  return code === 0;
}

function assertNode(): void {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
  if (major > NEEDED_NODE[0] || (major === NEEDED_NODE[0] && minor >= NEEDED_NODE[1])) return;
  process.stderr.write(
    `Node ${process.versions.node} runs this, ${NEEDED_NODE.join('.')} or newer is needed: run \`npm ci\`\n`,
  );
  process.exit(1);
}
