// Calls to Temporal, each with a deadline: without one a call can wait for ever.
import type { WorkflowHandle } from '@temporalio/client';
import { temporalSilent } from './temporal-errors.ts';
import type { AgentAddress } from './names.ts';
import type { AgentPlatform } from './platform.ts';

/**
 * Time for the SDK to report a deadline itself, which says more than ours does. It repeats failed calls after a pause,
 * and looks at the deadline only after the pause.
 */
const REPORT_MS = 250;

/** Runs calls to Temporal that must end in time. Their errors are the SDK's, or UNAVAILABLE when it overruns. */
export async function inTime<T>(
  parts: AgentPlatform,
  act: () => Promise<T>,
  ms = parts.timing.temporalCall,
): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(temporalSilent(undefined)), ms + REPORT_MS);
  });
  try {
    return await Promise.race([parts.temporal.withDeadline(Date.now() + ms, act), late]);
  } finally {
    clearTimeout(timer);
  }
}

/** The agent's workflow, whichever run it is in. */
export function workflowOf(parts: AgentPlatform, agent: AgentAddress): WorkflowHandle {
  return parts.temporal.workflow.getHandle(agent.id);
}
