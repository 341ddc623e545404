// The budget of an agent and its descendants: what they may spend, what is granted to children, when to request more.
// Pure: contract/wire only.
//
// An agent with a pool (its own limit, an allowance from its parent, or both) spends from it in slices, one per turn,
// and grants parts of it to its children. A granted part counts as spent until it is returned. So all parts together
// never exceed the pool, whatever messages are in transit. Amounts in messages are absolute, not deltas, and belong to
// a numbered request. A duplicate or late message therefore changes nothing.
import type { BudgetGrant, BudgetLimit, BudgetNotice, BudgetRequest } from '../../../contract/wire/budget.ts';

/** The grant of one child that has not ended. */
export interface Grant {
  readonly slug: string;
  /** The most the child may spend in its life, including what it has spent already. */
  granted_usd: number;
  /** What the child last reported as spent. */
  spent_usd: number;
  /** Number of the child's newest request. */
  request: number;
  /** The unanswered part of its request. */
  wanted_usd: number;
  /** The child's own limit; a larger grant would be of no use to it. */
  most_usd: number | undefined;
  /** Whether the child was notified that nothing is left. */
  refused: boolean;
}

/** An unsent message to the parent or to a child. */
export type BudgetMessage =
  | { readonly to: 'parent'; readonly request: Omit<BudgetRequest, 'slug' | 'spawn_id'> }
  | { readonly to: 'child'; readonly slug: string; readonly grant: BudgetGrant }
  | { readonly to: 'child'; readonly slug: string; readonly notice: BudgetNotice };

/** Plain JSON: part of the state that is carried over by continue-as-new. */
export interface Budget {
  /** The agent's own limit, for itself and its descendants. */
  limit_usd: number | undefined;
  /** The parent's grant, in total. Undefined for an agent without one. */
  allowance_usd: number | undefined;
  /** Cost of the agent's own ended turns. */
  own_usd: number;
  /** Reported usage of the running turn. */
  running_usd: number;
  /** What the running turn may use before it needs more; 0 when no turn runs. */
  slice_usd: number;
  /** Grants by spawn id of the child. */
  grants: Record<string, Grant>;
  /** Cost of ended children. */
  ended_usd: number;
  /** The total spent, as last reported to the parent. */
  told_usd: number;
  /** Number of the newest request to the parent. */
  asked: number;
  /** Whether that request is unanswered. */
  waiting: boolean;
  /** Set when the parent had nothing left: the limit that is used up. */
  refused_by: BudgetLimit | undefined;
  /** Whether the agent and its children were notified that most of the limit is used. */
  warned: boolean;
  /** The agent's own copy of that notice, until its model has read it. */
  notice: BudgetNotice | undefined;
  /** Number of the turn that was interrupted at the limit. */
  cut_turn: number | undefined;
  /** Whether the agent is parked because the budget is used up. */
  parked: boolean;
  outbox: BudgetMessage[];
}

/** The used share of a limit at which agents are notified, and of an allowance at which more is requested. */
export const RENEW_AT = 0.8;

/** Amounts in dollars below this are rounding errors. */
export const EPSILON = 1e-9;

/** An unused budget with a limit, an allowance, or both. */
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

/** The most that may be spent: the smaller of the agent's own limit and the parent's grant. */
export function poolOf({ limit_usd: limit = Infinity, allowance_usd: allowance = Infinity }: Budget): number {
  return Math.min(limit, allowance);
}

/** The total spent, as far as known. Children report theirs with each request and at the end of each turn. */
export function usedOf(budget: Budget): number {
  const children = Object.values(budget.grants).reduce((sum, grant) => sum + grant.spent_usd, 0);
  return budget.own_usd + budget.running_usd + budget.ended_usd + children;
}

/** The sum of the grants of children that have not ended. */
export function grantedOf(budget: Budget): number {
  return Object.values(budget.grants).reduce((sum, grant) => sum + Math.max(grant.granted_usd, grant.spent_usd), 0);
}

/** The sum of what is spent, reserved for the running turn, or granted. */
export function committedOf(budget: Budget): number {
  return budget.own_usd + Math.max(budget.running_usd, budget.slice_usd) + budget.ended_usd + grantedOf(budget);
}

/** Whether the limit is used up, within rounding. */
export function isReached(used: number, limit: number): boolean {
  return used >= limit - EPSILON;
}

/** What is neither spent nor granted; 0 when the pool is overspent. */
export function freeOf(budget: Budget): number {
  const free = poolOf(budget) - committedOf(budget);
  return free > EPSILON ? free : 0;
}

/** The limit that is used up. Undefined while money is left or the parent has not answered yet. */
export function exhaustedLimit(budget: Budget, self: string): BudgetLimit | undefined {
  const { limit_usd: limit = Infinity } = budget;
  // More from the parent would not help.
  if (committedOf(budget) >= limit - EPSILON) return { path: self, limit_usd: limit };
  return freeOf(budget) > 0 || budget.waiting ? undefined : budget.refused_by;
}

/** Whether the running turn must be interrupted: its slice is used and cannot be extended. */
export function mustStop(budget: Budget, self: string): boolean {
  const isOver = budget.slice_usd > 0 && budget.running_usd >= budget.slice_usd - EPSILON;
  return isOver && exhaustedLimit(budget, self) !== undefined;
}

/**
 * The usage at which the running turn reports next: a share of its slice, the slice itself, or the point at which the
 * allowance is renewed or agents are notified.
 */
export function nextReport(budget: Budget): number {
  const { running_usd: running, slice_usd: slice, limit_usd: limit } = budget;
  const others = usedOf(budget) - running;
  const marks = [RENEW_AT * slice, RENEW_AT * poolOf(budget) - others, slice];
  if (limit !== undefined && !budget.warned) marks.push(RENEW_AT * limit - others);
  const ahead = marks.filter((mark) => mark > running + EPSILON && mark <= slice);
  // Past its slice the turn waits for the parent's answer, which arrives soon: it reports again with its next message.
  return ahead.length === 0 ? running : Math.min(...ahead);
}

/** Whether most of the agent's own limit is used and no notice has been sent. */
export function mustNotify(budget: Budget): boolean {
  return budget.limit_usd !== undefined && !budget.warned && usedOf(budget) >= RENEW_AT * budget.limit_usd - EPSILON;
}

/** Queues the notice for the agent itself and for every child. */
export function queueNotice(budget: Budget, notice: BudgetNotice): void {
  budget.notice = notice;
  for (const { slug } of Object.values(budget.grants)) budget.outbox.push({ to: 'child', slug, notice });
}

/** Sets a higher or lower limit. Existing grants are not reduced. */
export function setLimit(budget: Budget, limit: number): void {
  budget.limit_usd = limit;
  budget.warned = usedOf(budget) >= RENEW_AT * limit - EPSILON;
}

/** The parent has ended and cannot grant more: the allowance becomes the agent's own limit. */
export function detachFromParent(budget: Budget): void {
  if (budget.allowance_usd !== undefined) budget.limit_usd = poolOf(budget);
  budget.allowance_usd = undefined;
  budget.refused_by = undefined;
  budget.waiting = false;
  budget.outbox = budget.outbox.filter(({ to }) => to !== 'parent');
}
