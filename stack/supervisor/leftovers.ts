// Ends processes of a stack whose supervisor is gone, so that new ones run with the current settings and version.
// Runners keep running: agents continue, and the new worker re-attaches.
import type { ProcessIdentity, StackChild, StackRecord } from '../../contract/stack.ts';
import { endProcess } from '../process.ts';

/** The time that a worker needs to hand over its turns. The others need less. */
const GRACE_MS = 15_000;

/** Each process comes before those that it uses. */
const ORDER: readonly StackChild[] = ['worker', 'server', 'temporal'];

/**
 * Ends the processes of the record that are still running. Calls `afterWorker` once the worker has ended. Resolves with
 * whether any process was running.
 */
export async function endLeftovers(
  children: StackRecord['children'],
  afterWorker: () => Promise<void> = () => Promise.resolve(),
): Promise<boolean> {
  let any = false;
  for (const name of ORDER) {
    const identity: ProcessIdentity | undefined = children[name];
    if (identity !== undefined && (await endProcess(identity, GRACE_MS)) !== 'absent') any = true;
    if (name === 'worker') await afterWorker();
  }
  return any;
}
