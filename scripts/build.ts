// Builds the published bundles into dist/: the CLI and the MCP server, one file each with their lazy parts, the
// processes of the stack, the runner as one file, and the workflow code.
import { execFile } from 'node:child_process';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { build, type BuildOptions } from 'esbuild';
import { COMMONJS_SCOPE } from '../drivers/bundle-cache.ts';
import { murmurBuild, type MurmurProgram } from '../drivers/shipment/build.ts';
import { requireBuiltins } from '../drivers/shipment/esbuild-plugins.ts';
import { buildWorkflowBundle } from '../worker/workflow-bundle.ts';

const ROOT = join(import.meta.dirname, '..');
const DIST = join(ROOT, 'dist');

const COMMON: BuildOptions = {
  absWorkingDir: ROOT,
  outdir: DIST,
  bundle: true,
  platform: 'node',
  format: 'esm',
  target: 'node22',
  legalComments: 'none',
  logLevel: 'warning',
};

/** The CLI and the MCP server: see `murmurBuild`. */
async function buildMurmur(program: MurmurProgram): Promise<void> {
  const options = murmurBuild(program, await commit());
  await build({
    ...COMMON,
    ...options,
    entryPoints: { [program]: `${program}/main.ts` },
    banner: { js: COMMONJS_SCOPE },
  });
}

/** Bundles with their libraries: finding and reading a thousand small files takes half of the start-up time. */
async function buildProcesses(): Promise<void> {
  await build({
    ...COMMON,
    entryPoints: {
      supervisor: 'stack/supervisor/main.ts',
      server: 'server/main.ts',
      relay: 'stack/relay/main.ts',
      // Runs on hosts that are reached by ssh, where only this file is available.
      machines: 'drivers/machines/ssh/host/main.ts',
    },
    // OpenTelemetry is loaded only if traces are configured, and ssh2 only if hosts are; ssh2 finds native parts beside
    // itself. Only checkouts use the bundler.
    external: ['@opentelemetry/*', '@temporalio/interceptors-opentelemetry', 'esbuild', 'ssh2'],
    banner: { js: COMMONJS_SCOPE },
    plugins: [requireBuiltins()],
  });
}

/** Not bundled with libraries: Temporal's worker is native code whose threads find their files beside themselves. */
async function buildWorker(): Promise<void> {
  await build({
    ...COMMON,
    entryPoints: { worker: 'worker/main.ts' },
    packages: 'external',
    banner: { js: COMMONJS_SCOPE },
    plugins: [requireBuiltins()],
  });
}

/** One file that uses only built-ins, because it is copied to machines. For its format see worker/runner-bundle.ts. */
async function buildRunner(): Promise<void> {
  const runner = { entryPoints: { runner: 'runner/main.ts' }, format: 'cjs', outExtension: { '.js': '.cjs' } } as const;
  await build({ ...COMMON, ...runner, minify: true });
}

async function commit(): Promise<string | undefined> {
  const { stdout } = await promisify(execFile)('git', ['rev-parse', '--short=8', 'HEAD'], { cwd: ROOT }).catch(() => ({
    stdout: '',
  }));
  return stdout.trim() === '' ? undefined : stdout.trim();
}

await rm(DIST, { recursive: true, force: true });
await mkdir(DIST, { recursive: true });
await Promise.all([
  buildMurmur('cli'),
  buildMurmur('mcp'),
  buildProcesses(),
  buildWorker(),
  buildRunner(),
  buildWorkflowBundle().then((code) => writeFile(join(DIST, 'workflows.js'), code)),
]);
