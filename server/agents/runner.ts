// The runner of a machine, for calls that concern the machine itself.
import { MurmurError } from '../../contract/wire/errors.ts';
import type { RunnerClient } from '../../drivers/machines/runner-client.ts';
import { findRunner } from '../../drivers/machines/runner-process.ts';
import type { ServerParts } from '../parts.ts';

/** Undefined when none answers, also for a machine that is gone or does not answer. */
export async function findRunnerOf(
  { machines }: Pick<ServerParts, 'machines'>,
  name: string,
): Promise<RunnerClient | undefined> {
  try {
    return await findRunner(await machines.connect(name));
  } catch (error) {
    if (error instanceof MurmurError && ['NOT_FOUND', 'UNAVAILABLE'].includes(error.code)) return undefined;
    throw error;
  }
}
