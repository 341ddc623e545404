// Ends an agent that was never started: writes its record, and the event that waiting callers receive.
import type { FanoutPlan } from '../../contract/wire/fanout/plan.ts';
import { waitingStatus } from '../../contract/wire/fanout/status.ts';
import { workflowIdOf } from '../../contract/wire/identity.ts';
import type { TerminalPhase } from '../../contract/wire/phases.ts';
import { agentRecord } from '../../contract/wire/status.ts';
import type { Drivers } from '../../drivers/platform.ts';
import { endInOrder } from '../end.ts';
import { sealSpec } from '../sealed.ts';
import { plannedSpec } from './spec.ts';

/** How the agent ended, and who caused it. */
export interface UnstartedEnd {
  readonly phase: TerminalPhase;
  readonly reason: string;
  readonly by: string;
}

/** Writes the record and the event. Idempotent. */
export async function endUnstarted(
  stores: Pick<Drivers, 'events' | 'objects' | 'secrets' | 'tokenStore' | 'key'>,
  plan: FanoutPlan,
  index: number,
  { phase, reason, by }: UnstartedEnd,
): Promise<void> {
  const planned = await plannedSpec(stores.objects, plan, index);
  if (planned === undefined) return;
  // Seals the spec, as for every ended agent: a later start reads all of it from there.
  const spec = await sealSpec(stores, planned);
  const { machine, spawn_id: spawnId, events_after: before = 0 } = spec;
  const id = workflowIdOf(spec.identity);
  const at = new Date().toISOString();
  const event = { type: 'phase', phase, reason } as const;
  const status = waitingStatus(plan, spec.identity.path.at(-1) ?? '', {
    phase,
    phase_since: at,
    reason,
    // It never had a machine, so nothing needs clean-up.
    vm: { ...machine, isolation: 'none', state: 'gone' },
    timeline: [{ ...event, at, by }],
    ended_at: at,
    pending_input: false,
  });
  await endInOrder(
    stores,
    // An attempt to start it may have stored token and secrets.
    { agent: id, spawnId },
    {
      endMachine: async () => await Promise.resolve('destroyed'),
      record: async () => await Promise.resolve(agentRecord(spec, status)),
      publish: async () => void (await stores.events.append(id, 'workflow', [{ seq: before + 1, at, event }])),
    },
  );
}
