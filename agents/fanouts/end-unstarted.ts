// The end of an agent that never was started: its record, and the event that those who wait for it hear.
import type { AgentRecord } from '../../contract/wire/agent.ts';
import type { FanoutPlan } from '../../contract/wire/fanout/plan.ts';
import { plannedIdentity, plannedSpawnId } from '../../contract/wire/fanout/plan.ts';
import { waitingStatus } from '../../contract/wire/fanout/status.ts';
import { workflowIdOf } from '../../contract/wire/identity.ts';
import type { TerminalPhase } from '../../contract/wire/phases.ts';
import { machineName } from '../names.ts';
import type { Drivers } from '../../drivers/platform.ts';
import { endInOrder } from '../end.ts';

/** How it ended, and who brought it about. */
export interface UnstartedEnd {
  readonly phase: TerminalPhase;
  readonly reason: string;
  readonly by: string;
}

/** Doing it again changes nothing. */
export async function endUnstarted(
  stores: Pick<Drivers, 'events' | 'objects' | 'secrets' | 'tokenStore'>,
  plan: FanoutPlan,
  index: number,
  { phase, reason, by }: UnstartedEnd,
): Promise<void> {
  const entry = plan.agents[index];
  if (entry === undefined) return;
  const identity = plannedIdentity(plan, entry.slug);
  const id = workflowIdOf(identity);
  const at = new Date().toISOString();
  const event = { type: 'phase', phase, reason } as const;
  const { backend, provider, repos } = plan.shared;
  const spawnId = plannedSpawnId(plan.id, index);
  const record: AgentRecord = {
    status: {
      ...waitingStatus(plan, entry.slug),
      phase,
      phase_since: at,
      reason,
      // It never had its machine, so that nothing is left of it.
      vm: { name: machineName(id, spawnId), provider, isolation: 'none', state: 'gone' },
      timeline: [{ ...event, at, by }],
      ended_at: at,
      pending_input: false,
    },
    tasks: [],
    spec: {
      identity,
      spawn_id: spawnId,
      repos,
      session_id: '',
      backend,
      created_at: plan.created_at,
    },
  };
  await endInOrder(
    stores,
    // An attempt to start it may have stored token and secrets.
    { agent: id, spawnId },
    {
      endMachine: async () => await Promise.resolve('destroyed'),
      record: async () => await Promise.resolve(record),
      publish: async () => void (await stores.events.append(id, 'workflow', [{ seq: 1, at, event }])),
    },
  );
}
