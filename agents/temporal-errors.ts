// What Temporal's refusals mean.
import { WorkflowNotFoundError } from '@temporalio/client';
import { MurmurError } from '../contract/wire/errors.ts';

/** The error and its causes, outermost first. */
export function* causesOf(error: unknown): Generator {
  let each = error;
  // Causes may form a ring; no chain of ours is longer.
  for (let depth = 0; depth < 10 && each !== undefined && each !== null; depth += 1) {
    yield each;
    each = (each as { readonly cause?: unknown }).cause;
  }
}

/** Whether Temporal refused because no such workflow is open. */
export function isNotFound(error: unknown): boolean {
  return [...causesOf(error)].some((each) => each instanceof WorkflowNotFoundError);
}

/** The error for a Temporal service that cannot be reached, or not in time. */
export function temporalSilent(cause: unknown): MurmurError {
  return new MurmurError('UNAVAILABLE', 'Temporal does not answer', { hint: 'run `murmur doctor`', cause });
}

/** The error for a question that only a worker can answer. */
export function noWorker(cause: unknown): MurmurError {
  return new MurmurError('UNAVAILABLE', 'no worker has answered: the agent may do it once one runs again', {
    hint: 'start the worker with `murmur up`',
    cause,
  });
}
