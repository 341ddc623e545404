// The budget of an agent and everything beneath it: what it may spend, what it has granted to its children, and when it
// asks for more. Pure: contract/wire only.
//
// Whoever has a pool (a limit of its own, an allowance from its parent, or both) spends from it itself, in slices, one
// for each turn, and grants parts of it to its children. A part that is given away counts as spent until it comes back,
// so that all parts together never exceed the pool, wherever messages are. Amounts in messages are absolute, not deltas,
// and belong to a numbered request: what comes twice or too late changes nothing.
import type { BudgetGrant, BudgetLimit, BudgetNotice, BudgetRequest } from '../../contract/wire/budget.ts';

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
const NOTHING = 1e-9;
/** What is left is given away whole below this part of the pool: dividing crumbs only multiplies messages. */
const CRUMB = 0.01;
/** Part of what is free that a new child gets: the two-hundredth of a fan-out still gets a share. */
const FIRST_SHARE = 0.02;
/** The most that one request gets of what is free. */
const LARGEST_SHARE = 0.25;
/** Part of what is free that a turn of the agent's own takes: nearly all, unless children draw on the pool too. */
const OWN_SHARE = { alone: 0.75, withChildren: 0.25 } as const;

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

/** What can still be given away; 0 also when more is spent than there is. */
export function freeOf(budget: Budget): number {
  const free = poolOf(budget) - committedOf(budget);
  return free > NOTHING ? free : 0;
}

/** The share of a new child, which must be part of its spec. */
export function openGrant(budget: Budget, spawnId: string, slug: string, most?: number): number {
  const share = shareOf(budget, 0, most ?? Infinity);
  budget.grants[spawnId] = { ...unasked(slug), granted_usd: share, most_usd: most };
  return share;
}

/** A child that lives already and has not known of a budget: it is told its share. */
export function adopt(budget: Budget, spawnId: string, slug: string, spent: number): void {
  if (budget.grants[spawnId] !== undefined) return;
  const share = openGrant(budget, spawnId, slug);
  const grant: Grant = { ...unasked(slug), granted_usd: share + spent, spent_usd: spent };
  budget.grants[spawnId] = grant;
  answer(budget, grant);
}

/** A child has ended, or could not be started: what it did not spend comes back. */
export function closeGrant(budget: Budget, spawnId: string, cost: number): void {
  if (budget.grants[spawnId] === undefined) return;
  budget.grants = Object.fromEntries(Object.entries(budget.grants).filter(([id]) => id !== spawnId));
  budget.ended_usd += cost;
}

/** What a child has spent, by a message of another kind. */
export function noteSpent(budget: Budget, spawnId: string, spent: number): void {
  const grant = budget.grants[spawnId];
  if (grant !== undefined) grant.spent_usd = Math.max(grant.spent_usd, spent);
}

/** A child keeps so much and wants so much more. Its share follows with `serve`. */
export function takeRequest(budget: Budget, request: BudgetRequest): void {
  const grant = budget.grants[request.spawn_id];
  if (grant === undefined || request.number <= grant.request) return;
  grant.request = request.number;
  grant.granted_usd = request.keep_usd;
  grant.spent_usd = Math.max(grant.spent_usd, request.spent_usd);
  grant.wanted_usd = request.want_usd;
  grant.most_usd = request.most_usd;
  grant.refused = false;
}

/** The parent's answer, or its gift after an answer that gave nothing. */
export function takeGrant(budget: Budget, grant: BudgetGrant): void {
  if (grant.number !== budget.asked) return;
  budget.waiting = false;
  budget.refused_by = grant.refused_by;
  if (budget.allowance_usd === undefined || grant.allowance_usd > budget.allowance_usd) {
    budget.allowance_usd = grant.allowance_usd;
  }
}

/** Reserves money for a turn that begins. */
export function openSlice(budget: Budget): void {
  budget.running_usd = 0;
  budget.slice_usd = ownShare(budget);
}

/** The turn has ended; `own` is what all turns so far have cost. What it left of its slice is free again. */
export function closeSlice(budget: Budget, own: number): void {
  budget.own_usd = own;
  budget.running_usd = 0;
  budget.slice_usd = 0;
}

/** What the agent is about: a turn runs, one wants to start, or nothing waits. */
export type Need = 'run' | 'start' | 'rest';

/**
 * Brings everything in line after any change: serves children that wait, extends the running turn's slice, asks the
 * parent, tells children that nothing is left, gives back what an idle agent does not need. Asked again without a
 * change it does nothing.
 */
export function balance(budget: Budget, need: Need, self: BudgetLimit['path']): void {
  extendSlice(budget);
  for (const grant of waitingChildren(budget)) serve(budget, grant);
  if (mustAsk(budget, need)) ask(budget);
  const limit = exhaustedLimit(budget, self);
  if (limit !== undefined) {
    for (const grant of waitingChildren(budget).filter(({ refused }) => !refused)) {
      grant.refused = true;
      answer(budget, grant, limit);
    }
  }
  if (need === 'rest') giveBack(budget);
}

/** Whose limit it is that nothing is left; undefined while there is money, or while the parent has not answered. */
export function exhaustedLimit(budget: Budget, self: string): BudgetLimit | undefined {
  if (freeOf(budget) > 0 || budget.waiting) return undefined;
  const { limit_usd: limit, allowance_usd: allowance } = budget;
  if (limit !== undefined && limit <= (allowance ?? Infinity)) return { path: self, limit_usd: limit };
  return budget.refused_by;
}

/** Whether the running turn has used all that it can get. */
export function mustStop(budget: Budget, self: string): boolean {
  const isOver = budget.slice_usd > 0 && budget.running_usd >= budget.slice_usd - NOTHING;
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
  const ahead = marks.filter((mark) => mark > running + NOTHING && mark <= slice);
  // Past its slice it waits for the parent's answer, which comes within moments: it tells again with its next message.
  return ahead.length === 0 ? running : Math.min(...ahead);
}

/** Whether most of the agent's own limit is used and nobody has been told. */
export function mustWarn(budget: Budget): boolean {
  return budget.limit_usd !== undefined && !budget.warned && usedOf(budget) >= RENEW_AT * budget.limit_usd - NOTHING;
}

/** Tells the agent, with its next turn, and every child. */
export function warn(budget: Budget, notice: BudgetNotice): void {
  budget.notice = notice;
  for (const { slug } of Object.values(budget.grants)) budget.outbox.push({ to: 'child', slug, notice });
}

/** A new limit, higher or lower. What is granted already stays granted. */
export function setLimit(budget: Budget, limit: number): void {
  budget.limit_usd = limit;
  budget.warned = usedOf(budget) >= RENEW_AT * limit - NOTHING;
}

/** Whoever granted the allowance has ended and cannot be asked for more: it becomes the agent's own limit. */
export function loseParent(budget: Budget): void {
  if (budget.allowance_usd !== undefined) budget.limit_usd = poolOf(budget);
  budget.allowance_usd = undefined;
  budget.refused_by = undefined;
  budget.waiting = false;
  budget.outbox = budget.outbox.filter(({ to }) => to !== 'parent');
}

function extendSlice(budget: Budget): void {
  if (budget.slice_usd === 0 || budget.running_usd < RENEW_AT * budget.slice_usd - NOTHING) return;
  // More than the slice may have been used by the time that is known.
  const overrun = Math.max(budget.running_usd - budget.slice_usd, 0);
  budget.slice_usd += overrun + ownShare(budget);
}

function ownShare(budget: Budget): number {
  const free = freeOf(budget);
  const isAlone = Object.keys(budget.grants).length === 0;
  if (free <= poolOf(budget) * (isAlone ? 10 * CRUMB : CRUMB)) return free;
  return free * (isAlone ? OWN_SHARE.alone : OWN_SHARE.withChildren);
}

/** What a child gets now: what it wants, within what is fair to those that have not come yet. */
function shareOf(budget: Budget, wanted: number, most: number): number {
  const free = freeOf(budget);
  const isCrumb = wanted > 0 && free <= poolOf(budget) * CRUMB;
  const fair = isCrumb ? free : Math.max(free * FIRST_SHARE, Math.min(wanted, free * LARGEST_SHARE));
  return Math.max(Math.min(fair, most), 0);
}

function unasked(slug: string): Grant {
  return { slug, granted_usd: 0, spent_usd: 0, request: 0, wanted_usd: 0, most_usd: undefined, refused: false };
}

function waitingChildren(budget: Budget): readonly Grant[] {
  return Object.values(budget.grants).filter(({ wanted_usd: wanted }) => wanted > 0);
}

function serve(budget: Budget, grant: Grant): void {
  const share = shareOf(budget, grant.wanted_usd, (grant.most_usd ?? Infinity) - grant.granted_usd);
  if (share <= NOTHING) return;
  grant.granted_usd += share;
  grant.wanted_usd = 0;
  grant.refused = false;
  answer(budget, grant);
}

function answer(budget: Budget, grant: Grant, refusedBy?: BudgetLimit): void {
  budget.outbox.push({
    to: 'child',
    slug: grant.slug,
    grant: {
      number: grant.request,
      allowance_usd: grant.granted_usd,
      ...(refusedBy === undefined ? {} : { refused_by: refusedBy }),
    },
  });
}

function mustAsk(budget: Budget, need: Need): boolean {
  const { allowance_usd: allowance, limit_usd: limit = Infinity, waiting, refused_by: refusedBy } = budget;
  if (allowance === undefined || waiting || refusedBy !== undefined || allowance >= limit) return false;
  if (waitingChildren(budget).length > 0) return true;
  if (need === 'start') return freeOf(budget) === 0;
  if (need !== 'run') return false;
  const isOut = freeOf(budget) === 0 && budget.running_usd >= RENEW_AT * budget.slice_usd - NOTHING;
  return isOut || usedOf(budget) >= RENEW_AT * allowance - NOTHING;
}

function ask(budget: Budget): void {
  const { allowance_usd: allowance = 0, limit_usd: limit } = budget;
  const wanted = waitingChildren(budget).reduce((sum, grant) => sum + grant.wanted_usd, 0);
  // Keeps what is spent already when that is more than was granted: the parent must know.
  const keep = Math.max(allowance, committedOf(budget));
  send(budget, keep, Math.max(wanted, keep / 4, NOTHING * 2), limit);
  budget.allowance_usd = keep;
  budget.waiting = true;
}

/** An idle agent keeps what it and its children have used or hold; the rest is for others. */
function giveBack(budget: Budget): void {
  const { allowance_usd: allowance } = budget;
  const keep = committedOf(budget);
  const idle = waitingChildren(budget).length === 0 && !budget.waiting;
  if (allowance === undefined || !idle || allowance - keep <= NOTHING) return;
  budget.allowance_usd = keep;
  budget.refused_by = undefined;
  send(budget, keep, 0, budget.limit_usd);
}

function send(budget: Budget, keep: number, want: number, most: number | undefined): void {
  budget.asked += 1;
  budget.outbox.push({
    to: 'parent',
    request: {
      number: budget.asked,
      keep_usd: keep,
      want_usd: want,
      spent_usd: usedOf(budget),
      ...(most === undefined ? {} : { most_usd: most }),
    },
  });
}
