// Ends processes of a stack whose supervisor is gone, so that new ones run with the current settings and version.
// Runners keep running: agents continue, and the new worker re-attaches.
import type { HomePaths } from '../../config/home.ts';
import type { ProcessIdentity, StackChild, StackRecord } from '../../contract/stack.ts';
import { MurmurError } from '../../contract/wire/errors.ts';
import { endProcess, isRunning } from '../process.ts';
import { stackProcesses } from './stack-processes.ts';

/** The time that a worker needs to hand over its turns. The others need less. */
const GRACE_MS = 15_000;

/** Each process comes before those that it uses. */
const ORDER: readonly StackChild[] = ['worker', 'server', 'temporal'];

/**
 * Ends the processes of the record, and those of the home that no record names: a supervisor that is killed between
 * the start of a process and its entry leaves one. Calls `afterWorker` once no worker runs. Resolves with whether any
 * process was running. Throws UNAVAILABLE for a process that SIGKILL does not end. Needs the home for itself: no
 * supervisor may run.
 */
export async function endLeftovers(
  home: HomePaths,
  children: StackRecord['children'],
  afterWorker: () => Promise<void> = () => Promise.resolve(),
): Promise<boolean> {
  let any = false;
  for (const name of ORDER) {
    const recorded = children[name];
    if (recorded !== undefined && (await end(name, recorded))) any = true;
    for (const identity of await stackProcesses(home, name)) if (await end(name, identity)) any = true;
    if (name === 'worker') await afterWorker();
  }
  return any;
}

async function end(name: StackChild, identity: ProcessIdentity): Promise<boolean> {
  const ended = await endProcess(identity, GRACE_MS);
  // A worker of an earlier build must not poll beside the next one (ADR 31).
  if (ended === 'killed' && (await isRunning(identity))) {
    throw new MurmurError(
      'UNAVAILABLE',
      `process ${identity.pid.toString()}, the ${name} of an earlier start, cannot be ended`,
      { hint: `end process ${identity.pid.toString()} as its owner, then repeat the command` },
    );
  }
  return ended !== 'absent';
}
