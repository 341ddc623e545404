// The machine on which an agent works.
import type { AgentIdentity } from '../contract/wire/identity.ts';
import { describeMachineOf } from './references.ts';
import { providerNamed } from '../drivers/machines/configured.ts';
import type { MachineProvider } from '../drivers/machines/provider.ts';
import type { AgentPlatform } from './platform.ts';
import { ended, notFound } from './absence.ts';
import { addressOfIdentity } from './names.ts';
import { describeExecution } from './execution.ts';

/** A machine, and who provides it. */
export interface AgentMachine {
  readonly name: string;
  readonly provider: MachineProvider;
}

/**
 * The machine of a living agent. Throws NOT_FOUND for an agent that nobody knows, FAILED_PRECONDITION for one that has ended
 * or whose provider is not configured, and PERMISSION_DENIED for a machine that was made for another agent: name and provider
 * come from the memo of the workflow.
 */
export async function machineOf(parts: AgentPlatform, identity: AgentIdentity): Promise<AgentMachine> {
  const agent = addressOfIdentity(identity);
  const execution = await describeExecution(parts, agent);
  const { machine, provider: providerName, spawn_id: spawnId = '' } = execution?.memo ?? {};
  if (execution === undefined || machine === undefined) throw notFound(agent);
  if (execution.closed) throw ended(agent, execution.phase);
  // Nothing can be reached on one that is absent.
  const provider = providerNamed(parts.machines, providerName);
  await describeMachineOf(provider, machine, { agentId: agent.id, spawnId });
  return { name: machine, provider };
}
