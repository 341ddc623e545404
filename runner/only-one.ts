// Ensures one runner per machine: two would write to one journal. The claim is in the runner's folder.
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

/** Claims the directory; waits up to `PATIENCE_MS` for it. Undefined when another living process holds it. */
export async function claimDirectory(directory: string): Promise<Claim | undefined> {
  for (const end = Date.now() + WAIT_LIMIT_MS; ; await delay(LOOK_AGAIN_MS)) {
    const claim = await tryClaim(directory, () => isHeldByEarlyRunner(directory));
    if (claim !== undefined) return claim;
    if (Date.now() >= end) return undefined;
  }
}

/** Runners of build b35f5f2 create no claim. */
async function isHeldByEarlyRunner(directory: string): Promise<boolean> {
  const address = readState<RunnerAddress>(machinePaths(directory).address);
  return address !== undefined && address.token === undefined && (await isEarlyRunner(directory, address));
}
