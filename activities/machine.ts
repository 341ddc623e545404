// Connects to an agent's machine and its runner.
import { MurmurError } from '../contract/wire/errors.ts';
import { workflowIdOf } from '../contract/wire/identity.ts';
import type { AgentSpec } from '../contract/wire/agent.ts';
import { describeMachineOf } from '../agents/machine.ts';
import { providerNamed } from '../drivers/machines/configured.ts';
import type { Machine, MachineInfo, MachineProvider, RunnerUse } from '../drivers/machines/provider.ts';
import type { RunnerClient } from '../drivers/machines/runner-client.ts';
import { machineLost } from './failure.ts';
import type { AgentPorts } from './ports.ts';

/** Throws FAILED_PRECONDITION for a provider that is not configured. */
export function providerOf(ports: AgentPorts, spec: AgentSpec): MachineProvider {
  return providerNamed(ports.machines, spec.machine.provider);
}

/** `describeMachineOf` for the agent's machine. */
export async function describeOwn(
  provider: MachineProvider,
  { identity, machine, spawn_id: spawnId }: AgentSpec,
): Promise<MachineInfo> {
  return await describeMachineOf(provider, machine.name, { agentId: workflowIdOf(identity), spawnId });
}

/**
 * Leases the connection to the machine of a running agent, and starts the machine if it was stopped. Never creates a
 * machine: an attempt that was frozen could recreate it after the agent's end. Throws the failure MachineLost if the
 * machine is gone, and what `describeOwn` throws.
 */
export async function connect(ports: AgentPorts, spec: AgentSpec): Promise<Machine> {
  const provider = providerOf(ports, spec);
  const { name } = spec.machine;
  const { state } = await describeOwn(provider, spec);
  if (state === 'absent') throw machineLost(name);
  if (state === 'provisioning') throw new MurmurError('UNAVAILABLE', `machine ${name} is not ready yet`);
  try {
    if (state === 'stopped') await provider.start(name);
    return await provider.connect(name);
  } catch (error) {
    if (error instanceof MurmurError && error.code === 'NOT_FOUND') throw machineLost(name);
    throw error;
  }
}

/** A runner, and the lease of the connection to it. */
export interface ReachedRunner extends AsyncDisposable {
  readonly machine: Machine;
  readonly runner: RunnerClient;
}

/** The runner of a running agent for this use, restarted if it has died. Throws like `connect`. */
export async function reachRunner(ports: AgentPorts, spec: AgentSpec, use: RunnerUse): Promise<ReachedRunner> {
  const machine = await connect(ports, spec);
  try {
    const runner = await ports.runners.ensure(machine, use);
    return { machine, runner, [Symbol.asyncDispose]: () => machine[Symbol.asyncDispose]() };
  } catch (error) {
    await machine[Symbol.asyncDispose]();
    throw error;
  }
}
