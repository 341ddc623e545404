// Decides whether a workflow has closed, from its status in Temporal. No other code may decide this, because the sweep
// ends the machines of closed agents.
import type { WorkflowExecutionStatusName } from '@temporalio/client';
import type { TerminalPhase } from '../contract/wire/phases.ts';

/** The visibility query for living workflows. A run that continued as new counts as closed; its next run is listed. */
export const LIVING = 'ExecutionStatus IN ("Running", "Paused")';

/**
 * The terminal phase for this status; undefined unless the workflow has certainly closed. A paused workflow is alive,
 * one that continued as new is alive in its next run, and a status that this build does not know proves nothing.
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
