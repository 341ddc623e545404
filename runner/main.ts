// Entry of the runner, bundled into one file for machines. `node runner/main.ts <machine>/runner` serves one machine
// until a call or a signal stops it. It also exits with 0 when another runner already serves the machine. `node
// runner/main.ts --host <folder of machines>` serves several machines and exits after the last one, or a minute later while
// its standard input is open: runner-host.ts.
import process from 'node:process';
import type { IsolationInForce, IsolationSpec } from '../contract/wire/isolation.ts';
import { createClaudeBackend } from './backends/claude/backend.ts';
import { createFakeBackend } from './backends/fake/backend.ts';
import { createIsolation } from './isolation/isolation.ts';
import { resolveIsolation } from './isolation/resolve.ts';
import { runnerBuild } from './identity/build.ts';
import { HOST_FLAG } from './identity/flags.ts';
import { machinePaths } from './machine-paths.ts';
import { claimDirectory } from './only-one.ts';
import { RunnerHost } from './runner-host.ts';
import { serveRunner } from './serve.ts';
import type { ServedRunner, ServeOptions } from './serve.ts';
import { writeState } from './state-file.ts';

const OPTIONS: Omit<ServeOptions, 'callerEnv' | 'openIsolation'> = {
  backends: { claude: () => createClaudeBackend(), fake: () => createFakeBackend() },
  node: process.execPath,
  build: runnerBuild(process.argv[1] ?? ''),
};

function serve(directory: string, callerEnv: NodeJS.ProcessEnv, entersRun: boolean): Promise<ServedRunner> {
  const openIsolation: ServeOptions['openIsolation'] = async (config, paths) => {
    const spec = await resolveIsolation(config.isolation, callerEnv);
    if (spec !== config.isolation) writeState(paths.isolation, inForce(spec));
    return createIsolation(spec);
  };
  return serveRunner(directory, { ...OPTIONS, callerEnv, entersRun, openIsolation });
}

function inForce({ kind, limitsInForce }: IsolationSpec): IsolationInForce {
  return { kind, ...(limitsInForce === undefined ? {} : { limitsInForce }) };
}

async function serveOne(directory: string): Promise<void> {
  const paths = machinePaths(directory);
  if ((await claimDirectory(paths.runner)) === undefined) {
    console.error(`another runner serves ${paths.runner}`);
    return;
  }
  const served = await serve(paths.runner, { ...process.env }, true);
  stopOnSignal(() => served.stop());
  await served.stopped;
}

async function serveSeveral(): Promise<void> {
  const host = new RunnerHost((directory, callerEnv) => serve(directory, callerEnv, false), { kept: true });
  // The worker holds the other end while it may ask for more runners.
  process.stdin
    .on('error', () => undefined)
    .once('close', () => host.release())
    .resume();
  stopOnSignal(() => host.stop());
  const access = await host.listen();
  process.stdout.write(`${JSON.stringify(access)}\n`);
  await host.stopped;
}

function stopOnSignal(stop: () => Promise<void>): void {
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, () => void stop());
  // Closing a terminal must not stop the runner.
  process.on('SIGHUP', () => undefined);
}

// Errors of the log must not end the runner: a full disk, or the end of the process that started it.
for (const stream of [process.stdout, process.stderr]) stream.on('error', () => undefined);
const [, , first, second] = process.argv;
if (first === undefined || (first === HOST_FLAG) !== (second !== undefined)) {
  console.error('usage: runner <machine>/runner | runner --host <folder of machines>');
  process.exit(2);
}
// Without `await`: the bundle is CommonJS, see worker/runner-bundle.ts.
(first === HOST_FLAG ? serveSeveral() : serveOne(first)).then(
  () => process.exit(0),
  (error: unknown) => {
    console.error(error);
    process.exit(1);
  },
);
