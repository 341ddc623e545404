// Starts the workflow of a fan-out, once.
import { WorkflowIdConflictPolicy, WorkflowIdReusePolicy, WorkflowNotFoundError } from '@temporalio/client';
import { WORKFLOW_TASK_TIMEOUT } from '../../contract/wire/execution.ts';
import { FANOUT_WORKFLOW } from '../../contract/wire/fanout/messages.ts';
import type { FanoutInput } from '../../contract/wire/fanout/messages.ts';
import { fanoutWorkflowId, planKey } from '../../contract/wire/fanout/plan.ts';
import type { FanoutPlan } from '../../contract/wire/fanout/plan.ts';
import { closingPhase } from '../closing.ts';
import { inTime } from '../temporal.ts';
import type { AgentPlatform } from '../platform.ts';

/** Characters of a template in Temporal's UI. */
const TITLE_LIMIT = 80;

/**
 * Stores the plan and starts the workflow; then all agents of the plan exist. Idempotent per plan, even after all
 * agents have been started. Throws the SDK's errors after it has deleted what it stored.
 */
export async function startFanout(
  platform: AgentPlatform,
  plan: FanoutPlan,
  more: {
    readonly max_concurrent: number;
    readonly secrets: Readonly<Record<string, string>>;
    readonly title: string;
  },
): Promise<void> {
  const workflowId = fanoutWorkflowId(plan.place, plan.id);
  const key = planKey(plan.place, plan.id);
  if (Object.keys(more.secrets).length > 0) await platform.secrets.put(plan.secrets_ref, more.secrets);
  // Before the workflow, because waiting agents are found by their plan. A repeated call keeps the first plan, whose
  // workflow may be running.
  await platform.objects.create(key, JSON.stringify(plan));
  const input: FanoutInput = { plan: key, count: plan.agents.length, max_concurrent: more.max_concurrent };
  try {
    await inTime(platform, () =>
      platform.temporal.workflow.start(FANOUT_WORKFLOW, {
        workflowId,
        taskQueue: platform.taskQueue,
        args: [input],
        workflowIdReusePolicy: WorkflowIdReusePolicy.REJECT_DUPLICATE,
        workflowIdConflictPolicy: WorkflowIdConflictPolicy.FAIL,
        workflowTaskTimeout: WORKFLOW_TASK_TIMEOUT,
        staticSummary: `${String(plan.agents.length)} agents: ${more.title.slice(0, TITLE_LIMIT)}`,
      }),
    );
  } catch (error) {
    // This call or an earlier one may have started it anyway. If that cannot be found out, everything is kept.
    const state = await stateOf(platform, workflowId);
    if (state === 'open') return;
    await platform.objects.delete(key);
    await platform.secrets.delete(plan.secrets_ref);
    if (state === 'absent') throw error;
  }
}

async function stateOf(platform: AgentPlatform, workflowId: string): Promise<'open' | 'closed' | 'absent'> {
  try {
    const { status } = await inTime(platform, () => platform.temporal.workflow.getHandle(workflowId).describe());
    return closingPhase(status.name) === undefined ? 'open' : 'closed';
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return 'absent';
    throw error;
  }
}
