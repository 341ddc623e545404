// Sends what the budget has to tell parent and children, in order, beside everything else that the workflow does.
import { condition, getExternalWorkflowHandle } from '@temporalio/workflow';
import type { AgentSpec } from '../../../contract/wire/agent.ts';
import { workflowIdOf } from '../../../contract/wire/identity.ts';
import { parentWorkflow } from '../children/children.ts';
import type { Messenger } from '../messenger.ts';
import type { AgentState } from '../state.ts';
import { loseParent } from './budget.ts';
import type { BudgetMessage } from './budget.ts';
import { canDeliver, takeMessage } from './outbox.ts';
import { reviewBudget } from './spending.ts';

/**
 * Starts to send. By workflow ids, so that a message arrives whichever run the other is in. What is not sent yet
 * continues as new with the state.
 */
export function startBudgetSender(state: AgentState, spec: AgentSpec): Messenger {
  const own = workflowIdOf(spec.identity);
  const parent = parentWorkflow(spec);
  let sending = false;
  const waiting = (): boolean => (state.budget?.outbox.length ?? 0) > 0;

  const send = async (): Promise<void> => {
    for (;;) {
      await condition(() => canDeliver(state));
      const message = takeMessage(state);
      if (message === undefined) continue;
      sending = true;
      try {
        await deliver(message);
      } catch {
        // Whoever it was for has ended. A child tells its end itself.
        if (message.to === 'parent' && state.budget !== undefined) loseParent(state.budget);
        reviewBudget(state, spec, new Date().toISOString());
      } finally {
        sending = false;
      }
    }
  };
  const deliver = async (message: BudgetMessage): Promise<void> => {
    if (message.to === 'parent') {
      const told = { ...message.request, slug: spec.identity.path.at(-1) ?? '', spawn_id: spec.spawn_id };
      if (parent !== undefined) await getExternalWorkflowHandle(parent).signal('budgetRequest', told);
      return;
    }
    const child = getExternalWorkflowHandle(`${own}/${message.slug}`);
    if ('grant' in message) await child.signal('budgetGrant', message.grant);
    else await child.signal('budgetNotice', message.notice);
  };
  // It runs for as long as the workflow does, and only a defect can end it.
  void send();
  return {
    drain: () => condition(() => !sending && !waiting()),
    get busy() {
      return sending || waiting();
    },
  };
}
