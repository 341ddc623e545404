// The state of an agent that a fan-out has not started yet. Loaded by server and worker.
import type { AgentStatus } from '../agent.ts';
import { absolutePathOf, workflowIdOf } from '../identity.ts';
import { plannedIdentity } from './plan.ts';
import type { FanoutPlan } from './plan.ts';

/** Why it does nothing yet. */
export const WAITING = 'waiting for a slot';

/** As `status` shows it. */
export function waitingStatus(plan: FanoutPlan, slug: string): AgentStatus {
  const identity = plannedIdentity(plan, slug);
  const { purpose, model, out, on_idle, dequeue_strategy, tasks } = plan.shared;
  return {
    slug: identity.path.join('/'),
    workspace: identity.workspace,
    account: identity.account,
    path: absolutePathOf(identity),
    workflow: workflowIdOf(identity),
    phase: 'starting',
    phase_since: plan.created_at,
    reason: WAITING,
    ...(purpose === undefined ? {} : { purpose }),
    ...(model === undefined ? {} : { model }),
    ...(out === undefined ? {} : { out }),
    on_idle,
    dequeue_strategy,
    queued: [],
    branches: [],
    commits: 0,
    prs: [],
    cost: { total_usd: 0, own_usd: 0, children_usd: 0, by_model: {} },
    tasks: { total: tasks.length, open: tasks.length },
    created_at: plan.created_at,
    pending_input: true,
  };
}
