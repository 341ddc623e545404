// The Temporal server that all test files of a run share, because a start takes a second of processor time.
import { startTemporalServer } from '../../test/fixtures/temporal-server.ts';

/**
 * Starts the server, calls `run` with the variables by which `test/fixtures/temporal.ts` finds it, and ends it. If it
 * does not start, there are no variables: each test file then starts its own server and reports the error.
 */
export async function withTemporal<Result>(run: (env: NodeJS.ProcessEnv) => Promise<Result>): Promise<Result> {
  await using server = await startTemporalServer().catch(() => undefined);
  return await run(server === undefined ? {} : { MURMUR_TEST_TEMPORAL: `${server.address} ${server.namespace}` });
}
