// The Temporal server that the test files of a run share: a start takes a second of processor time.
import { startTemporalServer } from '../../test/fixtures/temporal-server.ts';

/**
 * Starts it and gives `run` the variables by which `test/fixtures/temporal.ts` finds it; ends it after that. When it does
 * not start `run` gets none: every file then starts a server of its own, and tells why it cannot.
 */
export async function withTemporal<Result>(run: (env: NodeJS.ProcessEnv) => Promise<Result>): Promise<Result> {
  await using server = await startTemporalServer().catch(() => undefined);
  return await run(server === undefined ? {} : { MURMUR_TEST_TEMPORAL: `${server.address} ${server.namespace}` });
}
