// Builds the Temporal CLI with Go, from the pinned module in tools/temporal.
import { join } from 'node:path';
import { run } from './run.ts';
import { TEMPORAL_RELEASE } from './release.ts';

const PACKAGE = 'github.com/temporalio/cli/cmd/temporal';
const VERSION_VARIABLE = 'github.com/temporalio/cli/internal/temporalcli.Version';

/** A build takes about 5 minutes on 2 cores. A slow machine on a slow network gets four times that. */
const BUILD_TIMEOUT_MS = 20 * 60_000;

/** Least time between two progress lines: the compiler reports hundreds of packages. */
const PROGRESS_INTERVAL_MS = 5_000;

export interface BuildOptions {
  /** Path of the `go` program. */
  readonly go: string;
  /** Root of the package, with tools/temporal. */
  readonly packageRoot: string;
  readonly env: NodeJS.ProcessEnv;
  readonly onProgress: (message: string) => void;
  readonly signal?: AbortSignal | undefined;
}

/** Writes the binary to `target`. Rejects with an Error with the compiler's last lines. */
export async function buildTemporal(target: string, options: BuildOptions): Promise<void> {
  const module = join(options.packageRoot, 'tools', 'temporal');
  const common = { cwd: module, env: options.env, timeoutMs: BUILD_TIMEOUT_MS, signal: options.signal };
  options.onProgress(
    `building Temporal CLI ${TEMPORAL_RELEASE.cli} with Go: fetching its modules (once, some minutes)`,
  );
  const listed = await run(options.go, ['list', '-mod=readonly', '-deps', PACKAGE], common);
  if (listed.code !== 0) throw new Error(`go cannot fetch the modules: ${lastLines(listed.stderr)}`);
  const total = listed.stdout.trim().split('\n').length;
  const report = countingReporter(total, options.onProgress);
  const flags = [
    '-mod=readonly',
    '-trimpath',
    '-v',
    '-ldflags',
    `-s -w -X ${VERSION_VARIABLE}=${TEMPORAL_RELEASE.cli}`,
  ];
  const built = await run(options.go, ['build', ...flags, '-o', target, PACKAGE], { ...common, onLine: report });
  if (built.code !== 0) throw new Error(`go build failed: ${lastLines(built.stderr)}`);
}

function countingReporter(total: number, onProgress: (message: string) => void): () => void {
  let compiled = 0;
  let lastShown = 0;
  return () => {
    compiled += 1;
    if (Date.now() - lastShown < PROGRESS_INTERVAL_MS) return;
    lastShown = Date.now();
    onProgress(`building Temporal CLI: ${compiled.toString()} of at most ${total.toString()} packages`);
  };
}

function lastLines(text: string): string {
  return text.trim().split('\n').slice(-4).join(' | ');
}
