// The signals that an agent sends: phases to its parent, the release of its slot to its fan-out, budget messages to
// parent and children.
import { getExternalWorkflowHandle } from '@temporalio/workflow';
import type { AgentSpec } from '../../contract/wire/agent.ts';
import type { FanoutSignals } from '../../contract/wire/fanout/messages.ts';
import { workflowIdOf } from '../../contract/wire/identity.ts';
import type { ChildEvent } from '../../contract/wire/messages.ts';
import { combine, startOutbox } from '../outbox.ts';
import type { SignalOutbox } from '../outbox.ts';
import { detachFromParent } from './budget/budget.ts';
import type { BudgetMessage } from './budget/budget.ts';
import { canDeliver, reviewBudget, takeMessage } from './budget/spending.ts';
import { parentWorkflowId } from './children/children.ts';
import type { AgentState } from './state.ts';

/** Starts all outboxes. The order in which they start is part of the history. */
export function startOutboxes(state: AgentState, spec: AgentSpec): SignalOutbox {
  return combine(...startPhaseOutbox(state, spec), ...startSlotRelease(state, spec), startBudgetOutbox(state, spec));
}

/** Sends phase changes to the parent, and to the flight that the agent works for. */
function startPhaseOutbox(state: AgentState, spec: AgentSpec): readonly SignalOutbox[] {
  const id = parentWorkflowId(spec);
  if (id === undefined) return [];
  const parent = getExternalWorkflowHandle(id);
  const slug = spec.identity.path.at(-1) ?? '';
  return [
    startOutbox<ChildEvent>({
      ready: () => (state.to_parent?.length ?? 0) > 0,
      take: () => {
        const event = state.to_parent?.shift();
        return event && { ...event, slug, spawn_id: spec.spawn_id };
      },
      send: async (event) => {
        await parent.signal('childEvent', event);
        if (spec.for_flight !== undefined) await notifyFlight(spec.for_flight, event);
      },
      onRefused: () => {
        state.to_parent = undefined;
      },
    }),
  ];
}

/** Forwards the event to the flight. A flight that has ended does not need it. */
async function notifyFlight(flight: string, event: ChildEvent): Promise<void> {
  await getExternalWorkflowHandle(flight)
    .signal('childEvent', event)
    .catch(() => undefined);
}

/**
 * Releases the slot of an agent of a fan-out when it first comes to rest, or at its end. The signal is sent again after
 * continue-as-new, which is harmless. A fan-out that has started all its agents has ended and does not need it.
 */
function startSlotRelease(state: AgentState, { slot }: AgentSpec): readonly SignalOutbox[] {
  if (slot === undefined) return [];
  let taken = false;
  let released = false;
  const rests = (): boolean => state.phase !== 'starting' && state.phase !== 'running';
  return [
    startOutbox<FanoutSignals['released']>({
      ready: () => !taken && rests(),
      take: () => {
        taken = true;
        return { index: slot.index };
      },
      send: (payload) => getExternalWorkflowHandle(slot.fanout).signal('released', payload),
      onSettled: () => {
        released = true;
      },
      // An agent that is working again does not wait for the fan-out.
      isBusy: () => !released && rests(),
    }),
  ];
}

/** Sends requests to the parent, grants and notices to children, in order. */
function startBudgetOutbox(state: AgentState, spec: AgentSpec): SignalOutbox {
  const own = workflowIdOf(spec.identity);
  const parent = parentWorkflowId(spec);
  return startOutbox<BudgetMessage>({
    ready: () => canDeliver(state),
    take: () => takeMessage(state),
    send: async (message) => {
      if (message.to === 'parent') {
        const request = { ...message.request, slug: spec.identity.path.at(-1) ?? '', spawn_id: spec.spawn_id };
        if (parent !== undefined) await getExternalWorkflowHandle(parent).signal('budgetRequest', request);
        return;
      }
      const child = getExternalWorkflowHandle(`${own}/${message.slug}`);
      if ('grant' in message) await child.signal('budgetGrant', message.grant);
      else await child.signal('budgetNotice', message.notice);
    },
    // A child reports its end itself, so nothing is lost when it refuses a message.
    onRefused: ({ to }) => {
      if (to === 'parent' && state.budget !== undefined) detachFromParent(state.budget);
      reviewBudget(state, spec, new Date().toISOString());
    },
    // Busy as well while the only messages are for children that are still being started.
    isBusy: (sending) => sending || (state.budget?.outbox.length ?? 0) > 0,
  });
}
