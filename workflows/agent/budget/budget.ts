// The budget of an agent and everything beneath it: what it may spend, what it has granted to its children, and when it
// asks for more. Pure: contract/wire only.
//
// Whoever has a pool (a limit of its own, an allowance from its parent, or both) spends from it itself, in slices, one
// for each turn, and grants parts of it to its children. A part that is given away counts as spent until it comes back,
// so that all parts together never exceed the pool, wherever messages are. Amounts in messages are absolute, not deltas,
// and belong to a numbered request: what comes twice or too late changes nothing.
import type { BudgetGrant, BudgetLimit, BudgetNotice, BudgetRequest } from '../../../contract/wire/budget.ts';

/** What a living child has been granted. */
export interface Grant {
  readonly slug: string;
  /** Everything that it may spend in its life, what it has spent included. */
  granted_usd: number;
  /** What it has spent, by its own word. */
  spent_usd: number;
  /** Number of its newest request. */
  request: number;
  /** What it has asked for and not been given. */
  wanted_usd: number;
  /** The most that it can use, by its own limit. */
  most_usd: number | undefined;
  /** Whether it has been told that nothing is left. */
  refused: boolean;
}

/** A message to parent or child that has not been sent. */
export type BudgetMessage =
  | { readonly to: 'parent'; readonly request: Omit<BudgetRequest, 'slug' | 'spawn_id'> }
  | { readonly to: 'child'; readonly slug: string; readonly grant: BudgetGrant }
  | { readonly to: 'child'; readonly slug: string; readonly notice: BudgetNotice };

/** Plain JSON: a part of the state that continues as new. */
export interface Budget {
  /** The agent's own limit, for its subtree. */
  limit_usd: number | undefined;
  /** What the parent has granted, in all; undefined when the budget begins here. */
  allowance_usd: number | undefined;
  /** What ended turns of the agent itself have cost. */
  own_usd: number;
  /** What the running turn has used so far, as reported. */
  running_usd: number;
  /** What the running turn may use before it asks; 0 when none runs. */
  slice_usd: number;
  /** By spawn id. */
  grants: Record<string, Grant>;
  /** What ended children have cost. */
  ended_usd: number;
  /** What the parent has been told of what is spent. */
  told_usd: number;
  /** Number of the last request to the parent. */
  asked: number;
  /** Whether it is unanswered. */
  waiting: boolean;
  /** Set when the parent had nothing left: whose limit that is. */
  refused_by: BudgetLimit | undefined;
  /** Whether the agents have been told that most of the limit is used. */
  warned: boolean;
  /** What the agent itself has still to be told of that. */
  notice: BudgetNotice | undefined;
  /** Number of the turn that was interrupted at the limit. */
  cut_turn: number | undefined;
  /** Whether the agent is parked for want of money. */
  parked: boolean;
  outbox: BudgetMessage[];
}

/** The part of a limit at which the agents are told, and of an allowance at which more is asked for. */
export const RENEW_AT = 0.8;

/** Money below this is rounding of sums. */
export const EPSILON = 1e-9;
/** A budget with this limit, this allowance, or both. */
export function newBudget(limit: number | undefined, allowance: number | undefined): Budget {
  return {
    limit_usd: limit,
    allowance_usd: allowance,
    own_usd: 0,
    running_usd: 0,
    slice_usd: 0,
    grants: {},
    ended_usd: 0,
    told_usd: 0,
    asked: 0,
    waiting: false,
    refused_by: undefined,
    warned: false,
    notice: undefined,
    cut_turn: undefined,
    parked: false,
    outbox: [],
  };
}

/** What may be spent in all: bounded by the own limit and by the parent's grant. */
export function poolOf({ limit_usd: limit = Infinity, allowance_usd: allowance = Infinity }: Budget): number {
  return Math.min(limit, allowance);
}

/** What is spent, as far as it is known: children tell it with their requests and at their turns' ends. */
export function usedOf(budget: Budget): number {
  const children = Object.values(budget.grants).reduce((sum, grant) => sum + grant.spent_usd, 0);
  return budget.own_usd + budget.running_usd + budget.ended_usd + children;
}

/** What living children hold. */
export function grantedOf(budget: Budget): number {
  return Object.values(budget.grants).reduce((sum, grant) => sum + Math.max(grant.granted_usd, grant.spent_usd), 0);
}

/** What is spent or given away. */
export function committedOf(budget: Budget): number {
  return budget.own_usd + Math.max(budget.running_usd, budget.slice_usd) + budget.ended_usd + grantedOf(budget);
}

/** Whether so much is used; sums of cents are never exact. */
export function isReached(used: number, limit: number): boolean {
  return used >= limit - EPSILON;
}

/** What can still be given away; 0 also when more is spent than there is. */
export function freeOf(budget: Budget): number {
  const free = poolOf(budget) - committedOf(budget);
  return free > EPSILON ? free : 0;
}

/** Whose limit it is that nothing is left; undefined while there is money, or while the parent has not answered. */
export function exhaustedLimit(budget: Budget, self: string): BudgetLimit | undefined {
  const { limit_usd: limit = Infinity } = budget;
  // No answer of the parent's can help then.
  if (committedOf(budget) >= limit - EPSILON) return { path: self, limit_usd: limit };
  return freeOf(budget) > 0 || budget.waiting ? undefined : budget.refused_by;
}

/** Whether the running turn has used all that it can get. */
export function mustStop(budget: Budget, self: string): boolean {
  const isOver = budget.slice_usd > 0 && budget.running_usd >= budget.slice_usd - EPSILON;
  return isOver && exhaustedLimit(budget, self) !== undefined;
}

/**
 * What the running turn must have used before it is worth telling: a share of its slice, the point where the allowance
 * is renewed or the agents are told, or the slice itself.
 */
export function nextReport(budget: Budget): number {
  const { running_usd: running, slice_usd: slice, limit_usd: limit } = budget;
  const others = usedOf(budget) - running;
  const marks = [RENEW_AT * slice, RENEW_AT * poolOf(budget) - others, slice];
  if (limit !== undefined && !budget.warned) marks.push(RENEW_AT * limit - others);
  const ahead = marks.filter((mark) => mark > running + EPSILON && mark <= slice);
  // Past its slice it waits for the parent's answer, which comes within moments: it tells again with its next message.
  return ahead.length === 0 ? running : Math.min(...ahead);
}

/** Whether most of the agent's own limit is used and nobody has been told. */
export function mustNotify(budget: Budget): boolean {
  return budget.limit_usd !== undefined && !budget.warned && usedOf(budget) >= RENEW_AT * budget.limit_usd - EPSILON;
}

/** Tells the agent (budget-notice.ts) and every child. */
export function queueNotice(budget: Budget, notice: BudgetNotice): void {
  budget.notice = notice;
  for (const { slug } of Object.values(budget.grants)) budget.outbox.push({ to: 'child', slug, notice });
}

/** A new limit, higher or lower. What is granted already stays granted. */
export function setLimit(budget: Budget, limit: number): void {
  budget.limit_usd = limit;
  budget.warned = usedOf(budget) >= RENEW_AT * limit - EPSILON;
}

/** Whoever granted the allowance has ended and cannot be asked for more: it becomes the agent's own limit. */
export function detachFromParent(budget: Budget): void {
  if (budget.allowance_usd !== undefined) budget.limit_usd = poolOf(budget);
  budget.allowance_usd = undefined;
  budget.refused_by = undefined;
  budget.waiting = false;
  budget.outbox = budget.outbox.filter(({ to }) => to !== 'parent');
}
