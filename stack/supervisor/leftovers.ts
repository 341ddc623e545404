// Processes of a stack whose supervisor is gone: they are replaced, so that the new settings and version hold. Runners are
// not among them: agents go on, and the new worker re-attaches.
import type { ProcessIdentity, StackChild, StackRecord } from '../../contract/stack.ts';
import { endProcess } from '../process.ts';

/** As long as a worker needs to hand its turns over, and longer than the others take. */
const GRACE_MS = 15_000;

/** From what uses to what is used. */
const ORDER: readonly StackChild[] = ['worker', 'server', 'temporal'];

/**
 * Ends the processes of the record that still run, and calls `afterWorker` once no worker takes up turns any more.
 * Resolves with whether there was one.
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
