// How an agent hears that most of a budget is used: within its running turn where that can be, else with the next one,
// once. Pure: contract/wire only.
import type { BudgetNotice } from '../../../contract/wire/budget.ts';
import type { FollowUp, TurnNotice, TurnOutcome } from '../../../contract/wire/turns.ts';
import type { Budget } from './budget.ts';
import { budgetNote, systemNote } from '../turn/prompts.ts';
import type { AgentState } from '../state.ts';

const NAME = 'budget';

/** What the running turn is to be told; undefined when there is nothing, or when the turn is to end anyway. */
export function noticeForTurn({ budget, turn, end }: AgentState): TurnNotice | undefined {
  const notice = budget?.notice;
  if (notice === undefined || turn?.running !== true) return undefined;
  if (turn.interrupted_by !== undefined || end?.how === 'kill') return undefined;
  return { id: idOf(notice), text: budgetNote(notice) };
}

/** The turn has ended: what its model was given is not told again. Another notice that came meanwhile is kept. */
export function takeTold({ budget }: AgentState, { notices = [] }: TurnOutcome): void {
  const notice = budget?.notice;
  if (budget !== undefined && notice !== undefined && notices.includes(idOf(notice))) budget.notice = undefined;
}

/** The notice for the prompt of the turn that begins, when none of the turns before could give it. */
export function takeNotice(budget: Budget, turn: number, now: string): FollowUp | undefined {
  const { notice } = budget;
  budget.notice = undefined;
  return notice === undefined ? undefined : systemNote(budgetNote(notice), NAME, turn, now);
}

/** Whether the input was made by `takeNotice`. */
export function isBudgetNote({ kind, id }: FollowUp): boolean {
  return kind === 'system' && new RegExp(`^${NAME}-\\d+$`).test(id);
}

/** One that says something else has another id. */
function idOf({ path, limit_usd: limit, used_usd: used }: BudgetNotice): string {
  return `budget of ${path}: ${used} of ${limit}`;
}
