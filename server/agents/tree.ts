// The agents of a tree, as Temporal lists them.
import { workflowIdOf } from '../../contract/wire/identity.ts';
import type { AgentIdentity } from '../../contract/wire/identity.ts';
import { AGENT_WORKFLOW } from '../../contract/wire/messages.ts';
import type { ServerParts } from '../parts.ts';
import { inTime } from './temporal.ts';

/** How many agents live from this one down. Visibility is some hundred milliseconds behind. */
export async function countTree(parts: ServerParts, top: AgentIdentity): Promise<number> {
  const { count } = await inTime(parts, () =>
    parts.temporal.workflow.count(
      livingQuery(`WorkflowId = "${workflowIdOf(top)}" OR WorkflowId STARTS_WITH "${workflowIdOf(top)}/"`),
    ),
  );
  return count;
}

/** Workflow ids of the living agents beneath this one. */
export async function livingBeneath(parts: ServerParts, top: AgentIdentity): Promise<readonly string[]> {
  const prefix = `${workflowIdOf(top)}/`;
  const ids = new Set<string>();
  await inTime(parts, async () => {
    const query = livingQuery(`WorkflowId STARTS_WITH "${prefix}"`);
    for await (const { workflowId } of parts.temporal.workflow.list({ query, pageSize: 1_000 })) ids.add(workflowId);
  });
  // SQLite compares without regard to case.
  return [...ids].filter((id) => id.startsWith(prefix));
}

function livingQuery(condition: string): string {
  return `WorkflowType = "${AGENT_WORKFLOW}" AND ExecutionStatus = "Running" AND (${condition})`;
}
