// Divides a budget: slices for the agent's own turns, grants for its children, requests to its parent. Pure:
// contract/wire only.
import type { BudgetGrant, BudgetLimit, BudgetRequest } from '../../../contract/wire/budget.ts';
import { committedOf, exhaustedLimit, freeOf, EPSILON, poolOf, RENEW_AT, usedOf } from './budget.ts';
import type { Budget, Grant } from './budget.ts';

/** Share of the pool below which the rest is granted whole: dividing it further only adds messages. */
const MIN_SHARE = 0.01;
/** Share of the free amount that a new child gets: small enough that the 200th agent of a fan-out still gets some. */
const FIRST_SHARE = 0.02;
/**
 * The smallest grant for a request, as a share of the free amount. A request per message would cost more than a grant
 * that stays unused for a while.
 */
const RENEWED_SHARE = 0.1;
/** The largest grant for a request, as a share of the free amount. */
const LARGEST_SHARE = 0.25;
/** Share of the free amount that the agent's own turn reserves: most of it, unless children draw on the pool too. */
const OWN_SHARE = { alone: 0.75, withChildren: 0.25 } as const;

/** Opens the grant of a new child and returns its share, which becomes part of the child's spec. */
export function openGrant(budget: Budget, spawnId: string, slug: string, most?: number): number {
  const share = shareOf(budget, 0, most ?? Infinity);
  budget.grants[spawnId] = { ...newGrant(slug), granted_usd: share, most_usd: most };
  return share;
}

/** Opens the grant of a child that was started before there was a budget, and sends it its share. */
export function registerExistingChild(budget: Budget, spawnId: string, slug: string, spent: number): void {
  if (budget.grants[spawnId] !== undefined) return;
  const share = openGrant(budget, spawnId, slug);
  const grant: Grant = { ...newGrant(slug), granted_usd: share + spent, spent_usd: spent };
  budget.grants[spawnId] = grant;
  answer(budget, grant);
}

/** Closes the grant of a child that has ended or could not be started. What it did not spend is free again. */
export function closeGrant(budget: Budget, spawnId: string, cost: number): void {
  if (budget.grants[spawnId] === undefined) return;
  budget.grants = Object.fromEntries(Object.entries(budget.grants).filter(([id]) => id !== spawnId));
  budget.ended_usd += cost;
}

/** Records what a child has spent, as reported outside of a request. */
export function recordSpent(budget: Budget, spawnId: string, spent: number): void {
  const grant = budget.grants[spawnId];
  if (grant !== undefined) grant.spent_usd = Math.max(grant.spent_usd, spent);
}

/** Records a child's request: the amount it keeps and the amount it asks for. `grantPending` answers it. */
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

/** Applies a grant of the parent: the answer to the newest request, or a later increase after it was refused. */
export function applyGrant(budget: Budget, grant: BudgetGrant): void {
  if (grant.number !== budget.asked) return;
  budget.waiting = false;
  budget.refused_by = grant.refused_by;
  if (budget.allowance_usd === undefined || grant.allowance_usd > budget.allowance_usd) {
    budget.allowance_usd = grant.allowance_usd;
  }
}

/** Reserves a slice for the turn that starts. */
export function openSlice(budget: Budget): void {
  budget.running_usd = 0;
  budget.slice_usd = ownShare(budget);
}

/**
 * Closes the slice of the turn that ended; what it did not use is free again.
 * @param own cost of all ended turns, in dollars
 */
export function closeSlice(budget: Budget, own: number): void {
  budget.own_usd = own;
  budget.running_usd = 0;
  budget.slice_usd = 0;
}

/** What the agent needs money for: a turn runs, a turn is to start, or neither. */
export type Need = 'run' | 'start' | 'rest';

/**
 * Rebalances after any change: grants pending requests, extends the running turn's slice, requests more from the
 * parent, notifies children that nothing is left, and returns what an idle agent does not need. Idempotent.
 */
export function balance(budget: Budget, need: Need, self: BudgetLimit['path']): void {
  extendSlice(budget);
  for (const grant of pendingGrants(budget)) grantPending(budget, grant);
  if (mustRequestMore(budget, need)) requestMore(budget);
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
  // A turn may use more than its slice before the report arrives.
  const overrun = Math.max(budget.running_usd - budget.slice_usd, 0);
  budget.slice_usd += overrun + ownShare(budget);
}

function ownShare(budget: Budget): number {
  const free = freeOf(budget);
  const isAlone = Object.keys(budget.grants).length === 0;
  if (free <= poolOf(budget) * (isAlone ? 10 * MIN_SHARE : MIN_SHARE)) return free;
  return free * (isAlone ? OWN_SHARE.alone : OWN_SHARE.withChildren);
}

/** What a child gets now: the requested amount, capped so that later children get a share too. */
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
  // A child already at its own limit still gets an (empty) answer, because it is blocked on one.
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
  // The agent parks: one last request, so that the parent knows the total spent.
  if (refusedBy !== undefined) return need === 'start' && freeOf(budget) === 0 && usedOf(budget) > budget.told_usd;
  if (pendingGrants(budget).length > 0) return true;
  if (need === 'start') return freeOf(budget) === 0;
  if (need !== 'run') return false;
  const isOut = freeOf(budget) === 0 && budget.running_usd >= RENEW_AT * budget.slice_usd - EPSILON;
  return isOut || usedOf(budget) >= RENEW_AT * allowance - EPSILON;
}

function requestMore(budget: Budget): void {
  const { allowance_usd: allowance = 0, limit_usd: limit } = budget;
  const wanted = pendingGrants(budget).reduce((sum, grant) => sum + grant.wanted_usd, 0);
  // Keeps what is already spent, even beyond the grant: the parent must account for it.
  const keep = Math.max(allowance, committedOf(budget));
  send(budget, keep, Math.max(wanted, keep / 4, EPSILON * 2), limit);
  budget.allowance_usd = keep;
  budget.waiting = true;
}

/** An idle agent keeps what it and its children have used or hold, and returns the rest. */
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
