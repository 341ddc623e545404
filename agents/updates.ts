// Updates of workflows, sent again when Temporal has refused them although nobody has, and when a workflow is not ready.
import { setTimeout as delay } from 'node:timers/promises';
import { ApplicationFailure, isGrpcServiceError, WorkflowUpdateFailedError } from '@temporalio/client';
import type { WorkflowHandle } from '@temporalio/client';

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
