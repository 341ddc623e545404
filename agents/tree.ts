// The agents of a tree, as Temporal lists them.
import { workflowIdOf } from '../contract/wire/identity.ts';
import type { AgentIdentity } from '../contract/wire/identity.ts';
import { AGENT_WORKFLOW } from '../contract/wire/messages.ts';
import type { AgentPlatform } from './platform.ts';
import { readExecution } from './execution.ts';
import type { Execution } from './execution.ts';
import { inTime } from './temporal.ts';

/** How many agents live from this one down. Visibility is some hundred milliseconds behind. */
export async function countTree(parts: AgentPlatform, top: AgentIdentity): Promise<number> {
  const id = workflowIdOf(top);
  const beneath = `WorkflowId = "${id}" OR WorkflowId STARTS_WITH "${id}/"`;
  const query = `WorkflowType = "${AGENT_WORKFLOW}" AND ExecutionStatus = "Running" AND (${beneath})`;
  return (await inTime(parts, () => parts.temporal.workflow.count(query))).count;
}

/** The agents beneath this one that live, or have ended since. */
export async function listBeneath(
  parts: AgentPlatform,
  top: AgentIdentity,
  endedSince: Date,
): Promise<readonly Execution[]> {
  const prefix = `${workflowIdOf(top)}/`;
  const found = new Map<string, Execution>();
  await inTime(parts, async () => {
    const query = [
      `WorkflowType = "${AGENT_WORKFLOW}"`,
      `WorkflowId STARTS_WITH "${prefix}"`,
      `(ExecutionStatus = "Running" OR CloseTime >= "${endedSince.toISOString()}")`,
    ].join(' AND ');
    for await (const info of parts.temporal.workflow.list({ query, pageSize: 1_000 })) {
      // SQLite compares without regard to case.
      if (info.workflowId.startsWith(prefix)) found.set(info.workflowId, readExecution(info));
    }
  });
  return [...found.values()];
}
