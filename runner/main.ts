// Entry of the runner: `node runner/main.ts <machine>/runner`. Bundled into one file for machines. Exits when it has
// been told to stop, by call or by signal; 0 as well when another runner already serves the machine.
import { mkdirSync } from 'node:fs';
import process from 'node:process';
import { setTimeout as delay } from 'node:timers/promises';
import { createClaudeBackend } from '../drivers/backends/claude/backend.ts';
import { createFakeBackend } from '../drivers/backends/fake/backend.ts';
import { createIsolation } from '../drivers/machines/isolation/isolation.ts';
import type { IsolationSpec } from '../drivers/machines/isolation/isolation.ts';
import { machinePaths } from './machine-paths.ts';
import { claimDirectory } from './only-one.ts';
import { serveRunner } from './serve.ts';

/** A runner that was just killed may hold its claim for a moment longer. */
const CLAIM_PATIENCE_MS = 2_000;
const LOOK_AGAIN_MS = 20;

async function main(directory: string): Promise<void> {
  const paths = machinePaths(directory);
  if (!(await claim(paths.runner))) {
    console.error(`another runner serves ${paths.runner}`);
    return;
  }
  // The broker's socket is made by its short, relative name.
  mkdirSync(paths.run, { recursive: true });
  process.chdir(paths.run);
  const served = await serveRunner(paths.runner, {
    backends: { claude: () => createClaudeBackend(), fake: () => createFakeBackend() },
    callerEnv: { ...process.env },
    node: process.execPath,
    openContainment: async (config) => createIsolation(config.isolation as unknown as IsolationSpec),
  });
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, () => void served.stop());
  // Closing a terminal is no order to stop.
  process.on('SIGHUP', () => undefined);
  await served.stopped;
}

async function claim(directory: string): Promise<boolean> {
  for (const end = Date.now() + CLAIM_PATIENCE_MS; Date.now() < end; await delay(LOOK_AGAIN_MS)) {
    if (await claimDirectory(directory)) return true;
  }
  return false;
}

const [, , directory] = process.argv;
if (directory === undefined) {
  console.error('usage: runner <machine>/runner');
  process.exit(2);
}
// Without `await`: the bundle is CommonJS, see worker/runner-bundle.ts.
main(directory).then(
  () => process.exit(0),
  (error: unknown) => {
    console.error(error);
    process.exit(1);
  },
);
