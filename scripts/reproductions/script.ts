// A reproduction as a command: it starts a Temporal server, runs, and says what it found.
import { Client, Connection } from '@temporalio/client';
import { NativeConnection } from '@temporalio/worker';
import { installQuietRuntime } from '../../test/fixtures/quiet-runtime.ts';
import { startTemporalServer } from '../../test/fixtures/temporal-server.ts';
import { runReproduction } from './replay-check.ts';
import type { Reproduction } from './replay-check.ts';

/** Ten times as long as the defects needed to show on two slow cores. */
const WITHIN_MS = 120_000;

/** Prints the first error of a replay, or that there was none. Exits with 0 either way. */
export async function runAsScript(reproduction: Reproduction): Promise<void> {
  installQuietRuntime();
  await using server = await startTemporalServer();
  const { address, namespace } = server;
  const connection = await Connection.connect({ address });
  const native = await NativeConnection.connect({ address });
  const client = new Client({ connection, namespace });
  const { error, executions } = await runReproduction({ client, native, namespace }, reproduction, WITHIN_MS);
  await Promise.all([native.close(), connection.close()]);
  const found = error === undefined ? 'every history could be replayed' : `a replay failed: ${error.message}`;
  process.stdout.write(`${executions.toString()} executions of ${reproduction.workflow}: ${found}\n`);
}
