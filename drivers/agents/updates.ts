// Updates that Temporal refused although nobody has refused them.
import { setTimeout as delay } from 'node:timers/promises';
import { ApplicationFailure, WorkflowUpdateFailedError } from '@temporalio/client';

/**
 * The server's type of failure for an update that came with a workflow task whose worker did not process it. It has left
 * no trace then. A worker does so when it gets a second task of a workflow whose first it has not completed (SDK 1.24,
 * with many updates of one workflow at once: a parent that is asked for twenty children).
 */
const UNPROCESSED = 'UnprocessedUpdate';

/** Of twenty updates at once all were through after two; more would be something else. */
const ATTEMPTS = 6;

/** The tasks that got in each other's way are over then. */
const PAUSE_MS = 100;

/** Asks for an update, again when it was not processed. Throws what `ask` throws. */
export async function processedUpdate<Answer>(ask: () => Promise<Answer>): Promise<Answer> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await ask();
    } catch (error) {
      if (!isUnprocessed(error) || attempt === ATTEMPTS) throw error;
      await delay(PAUSE_MS * attempt);
    }
  }
}

function isUnprocessed(error: unknown): boolean {
  if (!(error instanceof WorkflowUpdateFailedError)) return false;
  return error.cause instanceof ApplicationFailure && error.cause.type === UNPROCESSED;
}
