// Prepares the machine, its runner, the workspace and the agent program of a new agent, or of one whose machine was
// lost.
import { createHash } from 'node:crypto';
import { Context } from '@temporalio/activity';
import type { PrepareInput, PrepareResult } from '../contract/wire/activities.ts';
import { defined } from '../contract/wire/defined.ts';
import { workflowIdOf } from '../contract/wire/identity.ts';
import { machineLabels } from '../agents/machine.ts';
import type { MachineProvider, MachineSpec } from '../drivers/machines/provider.ts';
import type { Admitted } from './admission.ts';
import { withHeartbeat, abortableLease, abortable } from './activity-scope.ts';
import type { ActivityScope } from './activity-scope.ts';
import { describeOwn, providerOf } from './machine.ts';
import type { AgentPorts } from './ports.ts';
import { publishOffered } from '../agents/log.ts';
import type { Sessions } from './sessions.ts';
import { fetchSnapshot } from '../agents/snapshots.ts';

/** What `prepareAgent` needs. */
interface PrepareContext {
  readonly ports: AgentPorts;
  readonly sessions: Sessions;
}

/** `prepareAgent`: every step is idempotent, so an attempt continues where the previous one stopped. */
export function prepareAgent(
  { ports, sessions }: PrepareContext,
  { spec, events, session_id }: Admitted<PrepareInput>,
): Promise<PrepareResult> {
  return withHeartbeat(ports.handover, async (scope) => {
    const agent = workflowIdOf(spec.identity);
    await publishOffered(ports, agent, events);
    const provider = providerOf(ports, spec);
    const { name } = spec.machine;
    // Creating a machine of another agent again would replace that agent's name in its record.
    await abortable(scope, describeOwn(provider, spec));
    const owner = { stack: ports.key.id, namespace: await abortable(scope, ports.namespaceId()) };
    await createMachine(provider, { name, labels: machineLabels(agent, spec.spawn_id, owner) }, scope);
    await using machine = await abortableLease(scope, provider.connect(name, scope.signal));
    const runner = await abortable(scope, ports.runners.ensure(machine, 'begin'));
    const restore = await abortable(scope, fetchSnapshot(ports.objects, spec, machine));
    const site = { spec, machine, runner, ...defined({ session_id }) };
    const { isolation, session_id: opened } = await sessions.open(site, scope.signal, restore);
    return { vm: { name, provider: provider.name, isolation, state: 'running' }, ...defined({ session_id: opened }) };
  });
}

/**
 * A cancelled creation ends after it has removed what it created: the end of the agent follows, and might not find the
 * machine yet. A handed-over creation continues, and the next attempt finds its machine.
 */
async function createMachine(provider: MachineProvider, machine: MachineSpec, scope: ActivityScope): Promise<void> {
  const creation = provider.create(machine, { signal: scope.cancelled, requestId: requestId() });
  try {
    await abortable(scope, creation);
  } catch (error) {
    if (scope.cancelled.aborted) await creation.catch(() => undefined);
    throw error;
  }
}

/** A UUID shared by all attempts of this activity. A machine that replaces a lost one gets another. */
function requestId(): string {
  const { activityId, workflowExecution } = Context.current().info;
  const digest = createHash('sha256')
    .update(`${workflowExecution?.runId ?? ''} ${activityId}`)
    .digest('hex');
  const parts = [digest.slice(0, 8), digest.slice(8, 12), `8${digest.slice(13, 16)}`, `8${digest.slice(17, 20)}`];
  return [...parts, digest.slice(20, 32)].join('-');
}
