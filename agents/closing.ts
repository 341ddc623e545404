// Whether a workflow has closed, by the status that Temporal shows of it. The one place that decides: the sweep ends machines
// by it.
import type { WorkflowExecutionStatusName } from '@temporalio/client';
import type { TerminalPhase } from '../contract/wire/phases.ts';

/**
 * Finds the workflows that live in Temporal's visibility. By the two statuses: of a run that continued as new the next one
 * is listed.
 */
export const LIVING = 'ExecutionStatus IN ("Running", "Paused")';

/**
 * How a workflow of this status has ended; undefined for every status that is not surely a closed one. A paused workflow
 * lives, one that continued as new lives in its next run, and a status that this build does not know proves nothing.
 */
export function closingPhase(status: WorkflowExecutionStatusName): TerminalPhase | undefined {
  switch (status) {
    case 'COMPLETED':
      return 'completed';
    case 'TERMINATED':
    case 'CANCELLED':
      return 'canceled';
    case 'FAILED':
    case 'TIMED_OUT':
      return 'failed';
    default:
      return undefined;
  }
}
