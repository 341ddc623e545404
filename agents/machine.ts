// Whose a machine is, and on which one an agent works.
import { MurmurError } from '../contract/wire/errors.ts';
import type { AgentIdentity } from '../contract/wire/identity.ts';
import { providerNamed } from '../drivers/machines/configured.ts';
import type { MachineInfo, MachineLabels, MachineProvider } from '../drivers/machines/provider.ts';
import { describeExecution, ended, notFound } from './find.ts';
import { addressOfIdentity } from './names.ts';
import type { AgentPlatform } from './platform.ts';

/** Where an agent is: two of these may share a provider, and its list of machines. */
export interface MachineOwner {
  /** Id of the installation's signing key: made once in MURMUR_HOME, or shared by several hosts through its file. */
  readonly stack: string;
  /** Id of the Temporal namespace. Its name says less: a server that was set up again has it as well. */
  readonly namespace: string;
}

/** Labels of an agent's machine. Machines of earlier builds lack the owner, and those of the first ones the spawn. */
export function machineLabels(agentId: string, spawnId: string, owner?: MachineOwner): MachineLabels {
  return { agent: agentId, spawn: spawnId, ...owner };
}

/**
 * What the provider says of a machine of this spawn; one that is absent has no owner. Throws PERMISSION_DENIED for one that it
 * made for another spawn: the name alone is a few digits, which somebody can make equal.
 */
export async function describeMachineOf(
  provider: Pick<MachineProvider, 'describe'>,
  name: string,
  { agentId, spawnId }: { readonly agentId: string; readonly spawnId: string },
): Promise<MachineInfo> {
  const info = await provider.describe(name);
  if (info.state === 'absent' || isMachineOf(info, agentId, spawnId)) return info;
  throw new MurmurError(
    'PERMISSION_DENIED',
    `machine ${name} was not made for agent ${JSON.stringify(`/${agentId}`)}`,
    {
      details: { machine: name, agent: agentId },
    },
  );
}

/** Earlier builds noted the agent alone. */
function isMachineOf({ labels }: MachineInfo, agentId: string, spawnId: string): boolean {
  return labels['agent'] === agentId && (labels['spawn'] ?? spawnId) === spawnId;
}

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
export async function machineOf(platform: AgentPlatform, identity: AgentIdentity): Promise<AgentMachine> {
  const agent = addressOfIdentity(identity);
  const execution = await describeExecution(platform, agent);
  const { machine, provider: providerName, spawn_id: spawnId = '' } = execution?.memo ?? {};
  if (execution === undefined || machine === undefined) throw notFound(agent);
  if (execution.closed) throw ended(agent, execution.phase);
  // Nothing can be reached on one that is absent.
  const provider = providerNamed(platform.machines, providerName);
  await describeMachineOf(provider, machine, { agentId: agent.id, spawnId });
  return { name: machine, provider };
}
