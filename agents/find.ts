// Where an agent is, for operations that do not ask its workflow.
import { findWaiting } from './fanouts/waiting.ts';
import type { Waiting } from './fanouts/waiting.ts';
import type { AgentPlatform } from './platform.ts';
import type { AgentAddress } from './names.ts';
import { describeExecution } from './execution.ts';
import type { Execution } from './execution.ts';

/**
 * The agent's workflow, living or ended, or its place in the plan of a fan-out; undefined when it is in neither. Temporal is
 * asked again last: an agent may get its slot between the two looks.
 */
export async function locateAgent(
  parts: AgentPlatform,
  agent: AgentAddress,
): Promise<{ readonly execution: Execution } | { readonly waiting: Waiting } | undefined> {
  const execution = await describeExecution(parts, agent);
  if (execution !== undefined) return { execution };
  const waiting = await findWaiting(parts, agent);
  if (waiting !== undefined) return { waiting };
  const started = await describeExecution(parts, agent);
  return started === undefined ? undefined : { execution: started };
}
