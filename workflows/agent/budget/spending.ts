// The budget in the life of an agent: what a turn may use, what happens at the limit, what people see of it.
// Pure: contract/wire only.
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

/** How much more a turn without a budget uses before it tells: most turns cost less, and tell nothing. */
const UNBOUNDED_REPORT = { leastUsd: 0.25, share: 0.1 } as const;

/** Whether a turn can be paid for. Always true without a budget. */
export function maySpend({ budget }: AgentState): boolean {
  return budget === undefined || freeOf(budget) > 0;
}

/**
 * To be called after every change: shares out what is free, tells the agents at 80 % of the limit, ends the running turn
 * at the limit, parks the agent while nothing is left and lets it go on when something is.
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

/** Reserves money for the turn that begins; the note that goes with it, when there is something to tell. */
export function beginSpending(state: AgentState, now: string): FollowUp | undefined {
  const { budget } = state;
  if (budget === undefined) return undefined;
  openSlice(budget);
  budget.parked = false;
  return takeNotice(budget, state.turns, now);
}

/** The turn has ended, and its cost is in the state. */
export function endSpending(state: AgentState): void {
  if (state.budget !== undefined) closeSlice(state.budget, state.cost.usd);
}

/** The turn's own figure will never come: what was reported of it counts. */
export function chargeReported(state: AgentState): void {
  const reported = state.budget?.running_usd ?? 0;
  if (reported > 0) state.cost = { ...state.cost, usd: state.cost.usd + reported };
  endSpending(state);
}

/** What the agent is told when a turn goes on that was interrupted at the limit; undefined for any other turn. */
export function budgetCutNote(state: AgentState, turn: CurrentTurn, now: string): FollowUp | undefined {
  if (state.budget?.cut_turn !== turn.number) return undefined;
  return systemNote(cutAtLimitNote(state.subject), 'budget-cut', turn.number, now);
}

/** The mark at which the turn that begins first tells what it has used. */
export function firstReport({ budget }: AgentState): { readonly report_at_usd: number } {
  return { report_at_usd: budget === undefined || budget.slice_usd === 0 ? unboundedReport(0) : nextReport(budget) };
}

/** Takes what the running turn has used; answers what it must have used before it is asked again. */
export function recordUsage(state: AgentState, spec: AgentSpec, report: UsageReport, now: string): number | undefined {
  const { budget, turn } = state;
  if (turn?.running !== true || turn.id !== report.turn_id) return undefined;
  if (budget === undefined) return unboundedReport(report.used_usd);
  budget.running_usd = Math.max(budget.running_usd, report.used_usd);
  // A turn that began before there was a budget has reserved nothing: what it has used is its slice.
  if (budget.slice_usd === 0) budget.slice_usd = budget.running_usd;
  reviewBudget(state, spec, now);
  return nextReport(budget);
}

/**
 * The next mark of a turn without a budget: a limit may be set in its midst, and holds from the next mark on. A report is
 * a few events of the history, so that they become rarer the more a turn has used.
 */
function unboundedReport(usedUsd: number): number {
  return usedUsd + Math.max(UNBOUNDED_REPORT.leastUsd, UNBOUNDED_REPORT.share * usedUsd);
}

/** Throws RESOURCE_EXHAUSTED when the agent's own limit is used up: a child could do nothing. */
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

/** The child's spec with its share of the budget. */
export function grantChild({ budget }: AgentState, child: AgentSpec): AgentSpec {
  if (budget === undefined) return child;
  const slug = child.identity.path.at(-1) ?? '';
  return { ...child, allowance_usd: openGrant(budget, child.spawn_id, slug, child.max_cost_usd) };
}

/** A person has set the limit; children that have known of none get their shares. */
export function setBudget(state: AgentState, spec: AgentSpec, limit: number, by: string, now: string): void {
  const budget = (state.budget ??= budgetOf(state));
  setLimit(budget, limit);
  registerExistingChildren(state, budget);
  recordEvent(state, { type: 'note', text: `the budget is ${money(limit)}, set by ${by}` }, now, by);
  reviewBudget(state, spec, now);
}

/** An allowance for an agent that has known of none. */
export function beginBudget(state: AgentState): Budget {
  const budget = budgetOf(state);
  registerExistingChildren(state, budget);
  return budget;
}

/** The budget for `status`; undefined without one. */
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

/** A budget with what was spent before there was one. */
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

/** Parks what wants to start and cannot; a machine that is still being made is waited for first. */
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

/** Cents are enough, but for amounts that are hardly more. */
function money(usd: number): string {
  return `$${usd.toFixed(usd > 0 && usd < 0.1 ? 4 : 2)}`;
}

/** A child has ended or was never started. */
export function releaseChild(state: AgentState, spawnId: string, cost: number): void {
  if (state.budget !== undefined) closeGrant(state.budget, spawnId, cost);
}

/** What the running turn is to be told; undefined when there is nothing, or when the turn is to end anyway. */
export function noticeForTurn({ budget, turn, end }: AgentState): TurnNotice | undefined {
  const notice = budget?.notice;
  if (notice === undefined || turn?.running !== true) return undefined;
  if (turn.interrupted_by !== undefined || end?.how === 'kill') return undefined;
  return { id: idOf(notice), text: budgetNote(notice) };
}

/** The turn has ended: what its model was given is not told again. Another notice that came meanwhile is kept. */
export function clearDeliveredNotice({ budget }: AgentState, { notices = [] }: TurnOutcome): void {
  const notice = budget?.notice;
  if (budget !== undefined && notice !== undefined && notices.includes(idOf(notice))) budget.notice = undefined;
}

/** The notice for the prompt of the turn that begins, when none of the turns before could give it. */
export function takeNotice(budget: Budget, turn: number, now: string): FollowUp | undefined {
  const { notice } = budget;
  budget.notice = undefined;
  return notice === undefined ? undefined : systemNote(budgetNote(notice), 'budget', turn, now);
}

/** One that says something else has another id. */
function idOf({ path, limit_usd: limit, used_usd: used }: BudgetNotice): string {
  return `budget of ${path}: ${used} of ${limit}`;
}

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
