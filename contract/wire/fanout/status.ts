// The status of an agent that a fan-out has not started yet. Loaded by server and worker.
import type { AgentStatus } from '../agent.ts';
import { agentStatus } from '../status.ts';
import type { KnownOfAgent } from '../status.ts';
import { plannedIdentity } from './plan.ts';
import type { FanoutPlan } from './plan.ts';

/** Its reason. */
export const WAITING = 'waiting for a slot';

/** As `status` shows it; `changes` are of one that will not be started. */
export function waitingStatus(plan: FanoutPlan, slug: string, changes: Partial<KnownOfAgent> = {}): AgentStatus {
  const { shared, created_at } = plan;
  const { tasks } = shared;
  return agentStatus(
    { ...shared, identity: plannedIdentity(plan, slug), created_at },
    {
      phase: 'starting',
      phase_since: created_at,
      reason: WAITING,
      tasks: { total: tasks.length, open: tasks.length },
      pending_input: true,
      ...changes,
    },
  );
}
