// Calls to Temporal, each with a deadline: without one a call can wait for ever. And what its refusals mean.
import { setTimeout as delay } from 'node:timers/promises';
import {
  ApplicationFailure,
  isGrpcServiceError,
  WorkflowNotFoundError,
  WorkflowUpdateFailedError,
} from '@temporalio/client';
import type { WorkflowHandle } from '@temporalio/client';
import { MurmurError } from '../contract/wire/errors.ts';
import type { AgentAddress } from './names.ts';
import type { AgentPlatform } from './platform.ts';

/**
 * Time for the SDK to report a deadline itself, which says more than ours does. It repeats failed calls after a pause,
 * and looks at the deadline only after the pause.
 */
const REPORT_MS = 250;

/** Runs calls to Temporal that must end in time. Their errors are the SDK's, or UNAVAILABLE when it overruns. */
export async function inTime<T>(
  platform: AgentPlatform,
  act: () => Promise<T>,
  ms = platform.timing.temporalCall,
): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(temporalSilent(undefined)), ms + REPORT_MS);
  });
  try {
    return await Promise.race([platform.temporal.withDeadline(Date.now() + ms, act), late]);
  } finally {
    clearTimeout(timer);
  }
}

/** The agent's workflow, whichever run it is in. */
export function workflowOf(platform: AgentPlatform, agent: AgentAddress): WorkflowHandle {
  return platform.temporal.workflow.getHandle(agent.id);
}

/**
 * The server's type of failure for an update that came with a workflow task whose worker did not process it. It has left
 * no trace then. A worker does so when it gets a second task of a workflow whose first it has not completed (SDK 1.24,
 * with many updates of one workflow at once: a parent that is asked for twenty children).
 */
const UNPROCESSED = 'UnprocessedUpdate';

/** The server takes no updates while the tasks of the workflow fail, as they may for a moment. gRPC's FAILED_PRECONDITION. */
const NOT_READY = 9;

/** A workflow that cannot answer yet refuses with this type, and says so at once: a flight whose plan is being read. */
const NOT_YET = 'UNAVAILABLE';

/** Of twenty updates at once all were through after two; more would be something else. */
const ATTEMPTS = 6;

/** The tasks that got in each other's way are over then. */
const PAUSE_MS = 100;

/** Asks for an update, again when it was not processed or came too early. Throws the SDK's errors. */
export async function executeUpdate<Answer>(
  handle: WorkflowHandle,
  name: string,
  options: { readonly args: [unknown]; readonly updateId?: string },
): Promise<Answer> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await handle.executeUpdate<Answer, [unknown]>(name, options);
    } catch (error) {
      if (!isPassing(error) || attempt === ATTEMPTS) throw error;
      await delay(PAUSE_MS * attempt);
    }
  }
}

function isPassing(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  const { cause } = error;
  if (error instanceof WorkflowUpdateFailedError)
    return cause instanceof ApplicationFailure && (cause.type === UNPROCESSED || cause.type === NOT_YET);
  return isGrpcServiceError(cause) && Number(cause.code) === NOT_READY;
}

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
