// Ownership of machines, and the machine of an agent.
import { MurmurError } from '../contract/wire/errors.ts';
import type { AgentIdentity } from '../contract/wire/identity.ts';
import { providerNamed } from '../drivers/machines/configured.ts';
import type { MachineInfo, MachineLabels, MachineProvider } from '../drivers/machines/provider.ts';
import { describeExecution, ended, notFound } from './find.ts';
import { addressOfIdentity } from './names.ts';
import type { AgentPlatform } from './platform.ts';

/** The installation and namespace that own a machine. Several can share a provider and its list of machines. */
export interface MachineOwner {
  /** Id of the installation's signing key, created once in MURMUR_HOME. Several hosts can share the file. */
  readonly stack: string;
  /** Id of the Temporal namespace. Its name is not unique: a newly installed server has the same one. */
  readonly namespace: string;
}

/** Labels of an agent's machine. Earlier builds set no owner, and the first ones no spawn. */
export function machineLabels(agentId: string, spawnId: string, owner?: MachineOwner): MachineLabels {
  return { agent: agentId, spawn: spawnId, ...owner };
}

/**
 * The provider's description of a machine of this spawn, which can be absent. Throws PERMISSION_DENIED for a machine of
 * another spawn: the name is a short hash, so an equal one can be created on purpose.
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

/** Earlier builds set only the agent's label. */
function isMachineOf({ labels }: MachineInfo, agentId: string, spawnId: string): boolean {
  return labels['agent'] === agentId && (labels['spawn'] ?? spawnId) === spawnId;
}

/** A machine and its provider. */
export interface AgentMachine {
  readonly name: string;
  readonly provider: MachineProvider;
}

/**
 * The machine of a living agent, from the workflow's memo. Throws NOT_FOUND for an unknown agent, FAILED_PRECONDITION
 * for an ended one or a provider that is not configured, and PERMISSION_DENIED for a machine of another agent.
 */
export async function machineOf(platform: AgentPlatform, identity: AgentIdentity): Promise<AgentMachine> {
  const agent = addressOfIdentity(identity);
  const execution = await describeExecution(platform, agent);
  const { machine, provider: providerName, spawn_id: spawnId = '' } = execution?.memo ?? {};
  if (execution === undefined || machine === undefined) throw notFound(agent);
  if (execution.closed) throw ended(agent, execution.phase);
  const provider = providerNamed(platform.machines, providerName);
  await describeMachineOf(provider, machine, { agentId: agent.id, spawnId });
  return { name: machine, provider };
}
