// The machine, its runner, the workspace and the agent program of a new agent, or of one whose machine was lost.
import type { PrepareInput, PrepareResult } from '../contract/wire/activities.ts';
import { workflowIdOf } from '../contract/wire/identity.ts';
import { machineLabels } from '../agents/references.ts';
import { attentively, unlessAborted } from './attention.ts';
import { describeOwn, providerOf } from './machine.ts';
import { openRequest } from './open-request.ts';
import type { AgentPorts } from './ports.ts';
import { publishOffered } from './publish-offered.ts';
import { fetchSnapshot } from './snapshots.ts';

/** `prepareAgent`: every step is idempotent, so that an attempt goes on where the one before was left. */
export function prepareAgent(ports: AgentPorts, { spec, events }: PrepareInput): Promise<PrepareResult> {
  return attentively(ports.handover, async (attention) => {
    const agent = workflowIdOf(spec.identity);
    await publishOffered(ports, agent, events);
    const provider = providerOf(ports, spec);
    const { name } = spec.machine;
    // Making it again would name this agent in the record of another one's.
    await unlessAborted(attention, describeOwn(provider, spec));
    const labels = machineLabels(agent, spec.spawn_id);
    const options = { signal: attention.signal, requestId: spec.spawn_id };
    await unlessAborted(attention, provider.create({ name, labels }, options));
    const machine = await unlessAborted(attention, provider.connect(name));
    const runner = await unlessAborted(attention, ports.runners.ensure(machine, 'begin'));
    const restore = await unlessAborted(attention, fetchSnapshot(ports.objects, spec, machine));
    const { isolation } = await runner.open(await openRequest(ports, spec, machine, restore), attention.signal);
    return { vm: { name, provider: provider.name, isolation, state: 'running' } };
  });
}
