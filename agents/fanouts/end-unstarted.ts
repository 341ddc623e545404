// Ends an agent that was never started: writes its record, and the event that waiting callers receive.
import type { AgentRecord } from '../../contract/wire/agent.ts';
import type { FanoutPlan } from '../../contract/wire/fanout/plan.ts';
import { plannedIdentity, plannedSpawnId } from '../../contract/wire/fanout/plan.ts';
import { waitingStatus } from '../../contract/wire/fanout/status.ts';
import { workflowIdOf } from '../../contract/wire/identity.ts';
import type { TerminalPhase } from '../../contract/wire/phases.ts';
import { machineName } from '../names.ts';
import type { Drivers } from '../../drivers/platform.ts';
import { endInOrder } from '../end.ts';

/** How the agent ended, and who caused it. */
export interface UnstartedEnd {
  readonly phase: TerminalPhase;
  readonly reason: string;
  readonly by: string;
}

/** Writes the record and the event. Idempotent. */
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
      // It never had a machine, so nothing needs clean-up.
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
