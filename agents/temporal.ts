// Calls to Temporal, each with a deadline, because they could wait for ever; and the meaning of their errors.
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
 * Extra time for the SDK's own deadline error, which says more than ours. The SDK retries failed calls after a pause
 * and checks the deadline only after the pause.
 */
const REPORT_MS = 250;

/** Runs calls to Temporal with a deadline. Throws the SDK's errors, or UNAVAILABLE if the SDK exceeds the deadline. */
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

/** Handle of the agent's workflow, for its latest run. */
export function workflowOf(platform: AgentPlatform, agent: AgentAddress): WorkflowHandle {
  return platform.temporal.workflow.getHandle(agent.id);
}

/**
 * The server's failure type for an update whose workflow task the worker did not process. Such an update had no effect.
 * It happens when a worker gets a second task of a workflow before it has completed the first. Seen with SDK 1.24 and
 * many concurrent updates of one workflow, such as twenty spawns of one parent.
 */
const UNPROCESSED = 'UnprocessedUpdate';

/**
 * gRPC's FAILED_PRECONDITION: the server accepts no updates while the workflow's tasks fail, which can be temporary.
 */
const NOT_READY = 9;

/** Type of a rejection by a workflow that cannot answer yet, such as a flight that still reads its plan. */
const NOT_YET = 'UNAVAILABLE';

/** With twenty concurrent updates, two attempts were enough. More failures have another cause. */
const ATTEMPTS = 6;

/** After this pause, the conflicting workflow tasks have ended. */
const PAUSE_MS = 100;

/** Sends an update; retries it if it was not processed or came too early. Throws the SDK's errors. */
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
  // Causes can form a cycle. Ten is more than any chain has.
  for (let depth = 0; depth < 10 && each !== undefined && each !== null; depth += 1) {
    yield each;
    each = (each as { readonly cause?: unknown }).cause;
  }
}

/** Whether the error says that no such workflow is open. */
export function isNotFound(error: unknown): boolean {
  return [...causesOf(error)].some((each) => each instanceof WorkflowNotFoundError);
}

/** The error if Temporal cannot be reached or does not answer in time. */
export function temporalSilent(cause: unknown): MurmurError {
  return new MurmurError('UNAVAILABLE', 'Temporal does not answer', { hint: 'run `murmur doctor`', cause });
}

/** The error if no worker answers a query or an update. */
export function noWorker(cause: unknown): MurmurError {
  return new MurmurError(
    'UNAVAILABLE',
    'no worker answered in time: the request may still be executed when one is back',
    {
      hint: 'start the worker with `murmur up`',
      cause,
    },
  );
}
