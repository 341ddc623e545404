// The machine on which an agent works.
import type { AgentIdentity } from '../../contract/wire/identity.ts';
import { describeMachineOf } from '../../agents/references.ts';
import type { ServerParts } from '../parts.ts';
import { ended, notFound } from './absence.ts';
import { addressOfIdentity } from './address.ts';
import { describeExecution } from './execution.ts';

/**
 * The machine's name. Throws NOT_FOUND for an agent that nobody knows, FAILED_PRECONDITION for one that has ended,
 * PERMISSION_DENIED for a machine that was made for another agent: the name comes from the memo of the workflow.
 */
export async function machineOf(parts: ServerParts, identity: AgentIdentity): Promise<string> {
  const agent = addressOfIdentity(identity);
  const execution = await describeExecution(parts, agent);
  const { machine, spawn_id: spawnId = '' } = execution?.memo ?? {};
  if (execution === undefined || machine === undefined) throw notFound(agent);
  if (execution.closed) throw ended(agent, execution.phase);
  // Nothing can be reached on one that is absent.
  await describeMachineOf(parts.machines, machine, { agentId: agent.id, spawnId });
  return machine;
}
