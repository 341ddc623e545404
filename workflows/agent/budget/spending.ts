// The budget over the life of an agent: what a turn may use, what happens at the limit, what `status` shows. Pure:
// contract/wire only.
import type { AgentSpec } from '../../../contract/wire/agent.ts';
import type { BudgetLimit, BudgetNotice, BudgetView, UsageReport } from '../../../contract/wire/budget.ts';
import { MurmurError } from '../../../contract/wire/errors.ts';
import { absolutePathOf } from '../../../contract/wire/identity.ts';
import { isTerminal } from '../../../contract/wire/phases.ts';
import type { FollowUp, TurnNotice, TurnOutcome } from '../../../contract/wire/turns.ts';
import type { AgentState, CurrentTurn } from '../state.ts';
import { recordEvent } from '../timeline.ts';
import { enterPhase } from '../transitions.ts';
import { budgetNote, cutAtLimitNote, MURMUR, systemNote } from '../turn/prompts.ts';
import { hasInput } from '../turn/queue.ts';
import {
  exhaustedLimit,
  freeOf,
  grantedOf,
  isReached,
  mustStop,
  mustNotify,
  newBudget,
  nextReport,
  setLimit,
  usedOf,
  queueNotice,
} from './budget.ts';
import type { Budget, BudgetMessage } from './budget.ts';
import { registerExistingChild, balance, closeGrant, closeSlice, openGrant, openSlice } from './shares.ts';
import type { Need } from './shares.ts';

/**
 * Usage between two reports of a turn without a budget. Most turns cost less than the first mark and report nothing.
 */
const UNBOUNDED_REPORT = { leastUsd: 0.25, share: 0.1 } as const;

/** Whether money is left for a turn. Always true without a budget. */
export function maySpend({ budget }: AgentState): boolean {
  return budget === undefined || freeOf(budget) > 0;
}

/**
 * Must be called after every change. Rebalances, notifies agents at 80 % of the limit, interrupts the running turn at
 * the limit, parks the agent while nothing is left and unparks it when there is money again.
 */
export function reviewBudget(state: AgentState, spec: AgentSpec, now: string): void {
  const { budget } = state;
  if (budget === undefined || isTerminal(state.phase)) return;
  const self = absolutePathOf(spec.identity);
  const need = needOf(state);
  balance(budget, need, self);
  if (mustNotify(budget)) notifyAll(state, budget, self, now);
  const { turn } = state;
  if (turn?.running === true && turn.interrupted_by === undefined && mustStop(budget, self)) {
    turn.interrupted_by = MURMUR;
    budget.cut_turn = turn.number;
    recordEvent(state, { type: 'note', text: `turn ${turn.number} is interrupted: the budget is used up` }, now);
  }
  park(state, budget, need === 'start' ? exhaustedLimit(budget, self) : undefined, now);
}

/** Reserves money for the turn that starts. Returns the pending notice for its prompt, if any. */
export function beginSpending(state: AgentState, now: string): FollowUp | undefined {
  const { budget } = state;
  if (budget === undefined) return undefined;
  openSlice(budget);
  budget.parked = false;
  return takeNotice(budget, state.turns, now);
}

/** Closes the turn's slice. The turn's cost must be in the state already. */
export function endSpending(state: AgentState): void {
  if (state.budget !== undefined) closeSlice(state.budget, state.cost.usd);
}

/** Charges the reported usage of a turn whose final cost will never arrive. */
export function chargeReported(state: AgentState): void {
  const reported = state.budget?.running_usd ?? 0;
  if (reported > 0) state.cost = { ...state.cost, usd: state.cost.usd + reported };
  endSpending(state);
}

/** The note for the turn that continues one interrupted at the limit; undefined after any other turn. */
export function budgetCutNote(state: AgentState, turn: CurrentTurn, now: string): FollowUp | undefined {
  if (state.budget?.cut_turn !== turn.number) return undefined;
  return systemNote(cutAtLimitNote(state.subject), 'budget-cut', turn.number, now);
}

/** The usage, in dollars, at which the turn that starts reports first. */
export function firstReport({ budget }: AgentState): { readonly report_at_usd: number } {
  return { report_at_usd: budget === undefined || budget.slice_usd === 0 ? unboundedReport(0) : nextReport(budget) };
}

/** Records the usage of the running turn. Returns the usage at which to report next, or undefined to stop reporting. */
export function recordUsage(state: AgentState, spec: AgentSpec, report: UsageReport, now: string): number | undefined {
  const { budget, turn } = state;
  if (turn?.running !== true || turn.id !== report.turn_id) return undefined;
  if (budget === undefined) return unboundedReport(report.used_usd);
  budget.running_usd = Math.max(budget.running_usd, report.used_usd);
  // A turn that started before there was a budget has no slice: what it has used becomes one.
  if (budget.slice_usd === 0) budget.slice_usd = budget.running_usd;
  reviewBudget(state, spec, now);
  return nextReport(budget);
}

/**
 * The next report of a turn without a budget. It still reports, because a limit may be set while it runs and applies
 * from the next report on. Each report costs a few history events, so the interval grows with the usage.
 */
function unboundedReport(usedUsd: number): number {
  return usedUsd + Math.max(UNBOUNDED_REPORT.leastUsd, UNBOUNDED_REPORT.share * usedUsd);
}

/** Throws RESOURCE_EXHAUSTED when the agent's own limit is used up: a new child could do nothing. */
export function requireBudgetLeft({ budget }: AgentState, spec: AgentSpec): void {
  const limit = budget?.limit_usd;
  if (budget === undefined || limit === undefined || !isReached(usedOf(budget), limit)) return;
  const path = absolutePathOf(spec.identity);
  const used = `${money(usedOf(budget))} of ${money(limit)}`;
  throw new MurmurError('RESOURCE_EXHAUSTED', `the budget of ${path} is used up: ${used}`, {
    hint: `raise it with \`murmur budget ${path} <usd>\``,
    details: { path, limit_usd: limit, used_usd: usedOf(budget) },
  });
}

/** Returns the child's spec with its share of the budget. */
export function grantChild({ budget }: AgentState, child: AgentSpec): AgentSpec {
  if (budget === undefined) return child;
  const slug = child.identity.path.at(-1) ?? '';
  return { ...child, allowance_usd: openGrant(budget, child.spawn_id, slug, child.max_cost_usd) };
}

/** Sets the limit on a person's request. Children started before there was a budget get their shares. */
export function setBudget(state: AgentState, spec: AgentSpec, limit: number, by: string, now: string): void {
  const budget = (state.budget ??= budgetOf(state));
  setLimit(budget, limit);
  registerExistingChildren(state, budget);
  recordEvent(state, { type: 'note', text: `the budget is ${money(limit)}, set by ${by}` }, now, by);
  reviewBudget(state, spec, now);
}

/** Opens the budget of an agent that receives its first allowance. */
export function beginBudget(state: AgentState): Budget {
  const budget = budgetOf(state);
  registerExistingChildren(state, budget);
  return budget;
}

/** The budget as `status` shows it; undefined without one. */
export function budgetView({ budget }: AgentState): BudgetView | undefined {
  if (budget === undefined) return undefined;
  const { limit_usd: limit, allowance_usd: allowance } = budget;
  return {
    ...(limit === undefined ? {} : { limit_usd: limit }),
    ...(allowance === undefined ? {} : { allowance_usd: allowance }),
    used_usd: usedOf(budget),
    granted_usd: grantedOf(budget),
  };
}

/** A budget that includes what was spent before there was one. */
function budgetOf(state: AgentState): Budget {
  const budget = newBudget(undefined, undefined);
  budget.own_usd = state.cost.usd;
  const ended = state.children.filter(({ phase }) => isTerminal(phase));
  budget.ended_usd = ended.reduce((sum, child) => sum + child.cost_usd, state.forgotten_cost_usd);
  return budget;
}

function registerExistingChildren(state: AgentState, budget: Budget): void {
  for (const { spawn_id, slug, phase, cost_usd } of state.children) {
    if (!isTerminal(phase)) registerExistingChild(budget, spawn_id, slug, cost_usd);
  }
}

function needOf(state: AgentState): Need {
  if (state.turn?.running === true || state.assessing !== undefined) return 'run';
  return state.end === undefined && hasInput(state) ? 'start' : 'rest';
}

function notifyAll(state: AgentState, budget: Budget, path: string, now: string): void {
  const { limit_usd: limit = 0 } = budget;
  budget.warned = true;
  queueNotice(budget, { path, limit_usd: limit, used_usd: usedOf(budget) });
  const text = `${money(usedOf(budget))} of the budget of ${money(limit)} are used`;
  recordEvent(state, { type: 'note', text }, now);
}

/** Parks an agent that has input and no money. Waits until a machine that is being created exists. */
function park(state: AgentState, budget: Budget, limit: BudgetLimit | undefined, now: string): void {
  if (limit === undefined) {
    if (budget.parked) state.parked = undefined;
    budget.parked = false;
    return;
  }
  if ((state.parked !== undefined && !budget.parked) || state.vm?.state !== 'running') return;
  const reason =
    `the budget of ${limit.path} (${money(limit.limit_usd)}) is used up or granted to its agents: raise it with ` +
    `\`murmur budget ${limit.path} <usd>\``;
  budget.parked = true;
  state.parked = { reason };
  enterPhase(state, 'idle', now, reason);
}

/** Dollars and cents; four digits for amounts below ten cents. */
function money(usd: number): string {
  return `$${usd.toFixed(usd > 0 && usd < 0.1 ? 4 : 2)}`;
}

/** Closes the grant of a child that has ended or was never started. */
export function releaseChild(state: AgentState, spawnId: string, cost: number): void {
  if (state.budget !== undefined) closeGrant(state.budget, spawnId, cost);
}

/** The notice to deliver to the running turn; undefined without one, or when the turn is about to end. */
export function noticeForTurn({ budget, turn, end }: AgentState): TurnNotice | undefined {
  const notice = budget?.notice;
  if (notice === undefined || turn?.running !== true) return undefined;
  if (turn.interrupted_by !== undefined || end?.how === 'kill') return undefined;
  return { id: noticeId(notice), text: budgetNote(notice) };
}

/** Clears the notice if the ended turn delivered it to its model. A newer notice is kept. */
export function clearDeliveredNotice({ budget }: AgentState, { notices = [] }: TurnOutcome): void {
  const notice = budget?.notice;
  if (budget !== undefined && notice !== undefined && notices.includes(noticeId(notice))) budget.notice = undefined;
}

/** Takes the notice for the prompt of the turn that starts, if no earlier turn delivered it. */
export function takeNotice(budget: Budget, turn: number, now: string): FollowUp | undefined {
  const { notice } = budget;
  budget.notice = undefined;
  return notice === undefined ? undefined : systemNote(budgetNote(notice), 'budget', turn, now);
}

/** The id depends on the contents, so a changed notice is delivered again. */
function noticeId({ path, limit_usd: limit, used_usd: used }: BudgetNotice): string {
  return `budget of ${path}: ${used} of ${limit}`;
}

/** Whether a message is queued whose receiver exists. */
export function canDeliver(state: AgentState): boolean {
  return nextMessage(state) >= 0;
}

/** Takes the oldest message whose receiver exists out of the outbox; undefined when there is none. */
export function takeMessage(state: AgentState): BudgetMessage | undefined {
  const next = nextMessage(state);
  return next < 0 ? undefined : state.budget?.outbox.splice(next, 1)[0];
}

/** Messages to a child that is still being started are held back: Temporal would not find it and they would be lost. */
function nextMessage({ budget, children }: AgentState): number {
  const isStarting = (slug: string): boolean =>
    children.some((child) => child.slug === slug && child.is_starting === true);
  return budget?.outbox.findIndex((message) => message.to === 'parent' || !isStarting(message.slug)) ?? -1;
}
