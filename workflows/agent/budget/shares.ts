// How a budget is shared out: slices for the agent's own turns, grants for its children, requests to its parent.
// Pure: contract/wire only.
import type { BudgetGrant, BudgetLimit, BudgetRequest } from '../../../contract/wire/budget.ts';
import { committedOf, exhaustedLimit, freeOf, EPSILON, poolOf, RENEW_AT, usedOf } from './budget.ts';
import type { Budget, Grant } from './budget.ts';

/** What is left is given away whole below this part of the pool: dividing crumbs only multiplies messages. */
const MIN_SHARE = 0.01;
/** Part of what is free that a new child gets: the two-hundredth of a fan-out still gets a share. */
const FIRST_SHARE = 0.02;
/** The least that a request gets: a request for every message would be worse than money that lies idle for a while. */
const RENEWED_SHARE = 0.1;
/** The most that one request gets of what is free. */
const LARGEST_SHARE = 0.25;
/** Part of what is free that a turn of the agent's own takes: nearly all, unless children draw on the pool too. */
const OWN_SHARE = { alone: 0.75, withChildren: 0.25 } as const;

/** The share of a new child, which must be part of its spec. */
export function openGrant(budget: Budget, spawnId: string, slug: string, most?: number): number {
  const share = shareOf(budget, 0, most ?? Infinity);
  budget.grants[spawnId] = { ...newGrant(slug), granted_usd: share, most_usd: most };
  return share;
}

/** A child that lives already and has not known of a budget: it is told its share. */
export function registerExistingChild(budget: Budget, spawnId: string, slug: string, spent: number): void {
  if (budget.grants[spawnId] !== undefined) return;
  const share = openGrant(budget, spawnId, slug);
  const grant: Grant = { ...newGrant(slug), granted_usd: share + spent, spent_usd: spent };
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
export function recordSpent(budget: Budget, spawnId: string, spent: number): void {
  const grant = budget.grants[spawnId];
  if (grant !== undefined) grant.spent_usd = Math.max(grant.spent_usd, spent);
}

/** A child keeps so much and wants so much more. Its share follows with `serve`. */
export function recordRequest(budget: Budget, request: BudgetRequest): void {
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
export function applyGrant(budget: Budget, grant: BudgetGrant): void {
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
  for (const grant of pendingGrants(budget)) grantPending(budget, grant);
  if (mustRequestMore(budget, need)) ask(budget);
  const limit = exhaustedLimit(budget, self);
  if (limit !== undefined) {
    for (const grant of pendingGrants(budget).filter(({ refused }) => !refused)) {
      grant.refused = true;
      answer(budget, grant, limit);
    }
  }
  if (need === 'rest') returnUnused(budget);
}

function extendSlice(budget: Budget): void {
  if (budget.slice_usd === 0 || budget.running_usd < RENEW_AT * budget.slice_usd - EPSILON) return;
  // More than the slice may have been used by the time that is known.
  const overrun = Math.max(budget.running_usd - budget.slice_usd, 0);
  budget.slice_usd += overrun + ownShare(budget);
}

function ownShare(budget: Budget): number {
  const free = freeOf(budget);
  const isAlone = Object.keys(budget.grants).length === 0;
  if (free <= poolOf(budget) * (isAlone ? 10 * MIN_SHARE : MIN_SHARE)) return free;
  return free * (isAlone ? OWN_SHARE.alone : OWN_SHARE.withChildren);
}

/** What a child gets now: what it wants, within what is fair to those that have not come yet. */
function shareOf(budget: Budget, wanted: number, most: number): number {
  const free = freeOf(budget);
  const isBelowMinShare = wanted > 0 && free <= poolOf(budget) * MIN_SHARE;
  const fair = isBelowMinShare ? free : fairShare(free, wanted);
  return Math.max(Math.min(fair, most), 0);
}

function fairShare(free: number, wanted: number): number {
  if (wanted === 0) return free * FIRST_SHARE;
  return Math.min(Math.max(wanted, free * RENEWED_SHARE), free * LARGEST_SHARE);
}

function newGrant(slug: string): Grant {
  return { slug, granted_usd: 0, spent_usd: 0, request: 0, wanted_usd: 0, most_usd: undefined, refused: false };
}

function pendingGrants(budget: Budget): readonly Grant[] {
  return Object.values(budget.grants).filter(({ wanted_usd: wanted }) => wanted > 0);
}

function grantPending(budget: Budget, grant: Grant): void {
  const room = (grant.most_usd ?? Infinity) - grant.granted_usd;
  const share = shareOf(budget, grant.wanted_usd, room);
  // Whoever has all that its own limit allows gets nothing, and is told so: it waits for the answer.
  if (share <= EPSILON && room > EPSILON) return;
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

function mustRequestMore(budget: Budget, need: Need): boolean {
  const { allowance_usd: allowance, limit_usd: limit = Infinity, waiting, refused_by: refusedBy } = budget;
  if (allowance === undefined || waiting || allowance >= limit) return false;
  // It parks: once more, so that the parent knows all that is spent.
  if (refusedBy !== undefined) return need === 'start' && freeOf(budget) === 0 && usedOf(budget) > budget.told_usd;
  if (pendingGrants(budget).length > 0) return true;
  if (need === 'start') return freeOf(budget) === 0;
  if (need !== 'run') return false;
  const isOut = freeOf(budget) === 0 && budget.running_usd >= RENEW_AT * budget.slice_usd - EPSILON;
  return isOut || usedOf(budget) >= RENEW_AT * allowance - EPSILON;
}

function ask(budget: Budget): void {
  const { allowance_usd: allowance = 0, limit_usd: limit } = budget;
  const wanted = pendingGrants(budget).reduce((sum, grant) => sum + grant.wanted_usd, 0);
  // Keeps what is spent already when that is more than was granted: the parent must know.
  const keep = Math.max(allowance, committedOf(budget));
  send(budget, keep, Math.max(wanted, keep / 4, EPSILON * 2), limit);
  budget.allowance_usd = keep;
  budget.waiting = true;
}

/** An idle agent keeps what it and its children have used or hold; the rest is for others. */
function returnUnused(budget: Budget): void {
  const { allowance_usd: allowance } = budget;
  const keep = committedOf(budget);
  const idle = pendingGrants(budget).length === 0 && !budget.waiting;
  if (allowance === undefined || !idle || allowance - keep <= EPSILON) return;
  budget.allowance_usd = keep;
  budget.refused_by = undefined;
  send(budget, keep, 0, budget.limit_usd);
}

function send(budget: Budget, keep: number, want: number, most: number | undefined): void {
  budget.asked += 1;
  budget.told_usd = usedOf(budget);
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
