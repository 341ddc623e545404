// One runner a machine: two would write one journal. The claim lies in the runner's folder.
import { setTimeout as delay } from 'node:timers/promises';
import type { RunnerAddress } from '../contract/wire/runner.ts';
import type { Claim } from './identity/claims.ts';
import { tryClaim } from './identity/claims.ts';
import { isEarlyRunner } from './identity/processes.ts';
import { machinePaths } from './machine-paths.ts';
import { readState } from './state-file.ts';

/** A runner that was just killed or is about to end may hold its claim for a moment longer. */
const WAIT_LIMIT_MS = 2_000;
const LOOK_AGAIN_MS = 20;

/** Claims the directory, waiting a moment for it. Undefined when another process that is alive keeps it. */
export async function claimDirectory(directory: string): Promise<Claim | undefined> {
  for (const end = Date.now() + WAIT_LIMIT_MS; ; await delay(LOOK_AGAIN_MS)) {
    const claim = await tryClaim(directory, () => isHeldByEarlyRunner(directory));
    if (claim !== undefined) return claim;
    if (Date.now() >= end) return undefined;
  }
}

/** One of build b35f5f2 leaves no such claim. */
async function isHeldByEarlyRunner(directory: string): Promise<boolean> {
  const address = readState<RunnerAddress>(machinePaths(directory).address);
  return address !== undefined && address.token === undefined && (await isEarlyRunner(directory, address));
}
