// Which of the budget's messages goes next. Pure: contract/wire only.
import type { AgentState } from '../state.ts';
import type { BudgetMessage } from './budget.ts';

/** Whether a message waits that can arrive. */
export function canDeliver(state: AgentState): boolean {
  return nextMessage(state) >= 0;
}

/** Takes the oldest message that can arrive out of the outbox; undefined when there is none. */
export function takeMessage(state: AgentState): BudgetMessage | undefined {
  const next = nextMessage(state);
  return next < 0 ? undefined : state.budget?.outbox.splice(next, 1)[0];
}

/** A child that is being started could not be found, and what it is to know of its budget would be lost. */
function nextMessage({ budget, children }: AgentState): number {
  const isStarting = (slug: string): boolean =>
    children.some((child) => child.slug === slug && child.is_starting === true);
  return budget?.outbox.findIndex((message) => message.to === 'parent' || !isStarting(message.slug)) ?? -1;
}
