// The status of an agent that a fan-out has not started yet. Loaded by server and worker.
import type { AgentStatus } from '../agent.ts';
import { blankStatus } from '../blank-status.ts';
import { plannedIdentity } from './plan.ts';
import type { FanoutPlan } from './plan.ts';

/** Its reason. */
export const WAITING = 'waiting for a slot';

/** The status of the agent. */
export function waitingStatus(plan: FanoutPlan, slug: string): AgentStatus {
  const identity = plannedIdentity(plan, slug);
  const { purpose, model, out, on_idle, dequeue_strategy, tasks } = plan.shared;
  return {
    ...blankStatus(identity),
    phase: 'starting',
    phase_since: plan.created_at,
    reason: WAITING,
    ...(purpose === undefined ? {} : { purpose }),
    ...(model === undefined ? {} : { model }),
    ...(out === undefined ? {} : { out }),
    on_idle,
    dequeue_strategy,
    tasks: { total: tasks.length, open: tasks.length },
    created_at: plan.created_at,
    pending_input: true,
  };
}
