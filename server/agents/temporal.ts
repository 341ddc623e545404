// Calls to Temporal, each with a deadline: without one a call can wait for ever.
import type { WorkflowHandle } from '@temporalio/client';
import type { ServerParts } from '../parts.ts';
import type { AgentAddress } from './address.ts';

/** Runs calls to Temporal that must end in time; their errors are the SDK's. */
export async function inTime<T>(parts: ServerParts, act: () => Promise<T>, ms = parts.timing.temporalCall): Promise<T> {
  return await parts.temporal.withDeadline(Date.now() + ms, act);
}

/** The agent's workflow, whichever run it is in. */
export function workflowOf(parts: ServerParts, agent: AgentAddress): WorkflowHandle {
  return parts.temporal.workflow.getHandle(agent.id);
}
