// What happens when a turn ends and nothing waits: is the task done? Pure: contract/wire only.
import type { AgentSpec } from '../../../contract/wire/agent.ts';
import type { BranchState } from '../../../contract/wire/turns.ts';
import { hasBusyChildren, WAITS_FOR_CHILDREN } from '../children/children.ts';
import { openTasks } from './checklist.ts';
import { reminder, systemNote } from './prompts.ts';
import type { AgentState } from '../state.ts';

/**
 * Reminders in a row. A model that did not finish after three is stuck or disagrees: more would only cost money, and
 * somebody has to look.
 */
export const REMINDER_LIMIT = 3;

export type Completion =
  | { readonly done: true }
  /** A reminder lies in `due`. */
  | { readonly done: false; readonly reminded: true }
  /** Reminded often enough, or its children still work: the agent idles for this reason. */
  | { readonly done: false; readonly reminded: false; readonly reason: string };

/** Checks the checklist and the wanted result, and reminds the agent of what is missing. */
export function checkCompletion(state: AgentState, spec: AgentSpec, now: string): Completion {
  const open = openTasks(state.tasks);
  const { unpushed, missing } = unmetPush(state.branches, spec);
  if (open.length + unpushed.length + missing.length === 0) {
    state.reminders = 0;
    return { done: true };
  }
  // They may be doing just that, and each of them wakes it.
  if (hasBusyChildren(state)) return { done: false, reminded: false, reason: WAITS_FOR_CHILDREN };
  if (state.reminders >= REMINDER_LIMIT) {
    const reasons = [
      ...(open.length === 0 ? [] : [`open checklist items: ${open.map((task) => task.subject).join('; ')}`]),
      ...unpushed.map((branch) => `branch ${branch.branch} is not pushed`),
      ...missing.map((branch) => `branch ${branch} is not pushed`),
    ];
    return { done: false, reminded: false, reason: `${reasons.join('; ')} (after ${REMINDER_LIMIT} reminders)` };
  }
  state.reminders += 1;
  state.due.push(systemNote(reminder(open, unpushed, missing), 'reminder', state.turns, now));
  return { done: false, reminded: true };
}

/** For `out: push`: branches that are not on origin at their head, and working branches that nobody has seen. */
function unmetPush(
  branches: readonly BranchState[],
  spec: AgentSpec,
): { unpushed: readonly BranchState[]; missing: readonly string[] } {
  if (spec.out !== 'push') return { unpushed: [], missing: [] };
  const seen = new Set(branches.map((branch) => branch.branch));
  return {
    unpushed: branches.filter((branch) => !branch.pushed),
    missing: spec.repos.map((repo) => repo.branch).filter((branch) => !seen.has(branch)),
  };
}
