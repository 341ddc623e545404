// A turn as the workflow sees it: which inputs it takes, and what its outcome means. Pure: contract/wire only.
import type { AgentSpec } from '../../../contract/wire/agent.ts';
import { addCost } from '../../../contract/wire/cost.ts';
import { defined } from '../../../contract/wire/defined.ts';
import type { FollowUp, TurnOutcome } from '../../../contract/wire/turns.ts';
import {
  budgetCutNote,
  beginSpending,
  chargeReported,
  endSpending,
  maySpend,
  clearDeliveredNotice,
} from '../budget/spending.ts';
import type { AgentState, CurrentTurn } from '../state.ts';
import { recordEvent } from '../timeline.ts';
import { addTask, enterPhase, takeSession } from '../transitions.ts';
import { activateTasks } from './checklist.ts';
import { checkAssessment, checkCompletion } from './completion.ts';
import type { Verdict } from './completion.ts';
import { checklistText, instructions, subjectOf, systemNote } from './prompts.ts';
import { hasInput, messageHead, takeInputs } from './queue.ts';
import { continueTurn, parkAfterModelError } from './recovery.ts';

/** Whether a turn can start. Murmur's own notes alone do not start one while the agent is parked. */
export function canStart(state: AgentState, nowMs: number): boolean {
  if (!hasInput(state) || !maySpend(state) || state.assessing !== undefined) return false;
  const hasMessage = state.sends.length > 0 || state.queue.some(({ kind }) => kind !== 'child');
  if (state.parked === undefined || hasMessage) return true;
  return state.parked.retry_at !== undefined && Date.parse(state.parked.retry_at) <= nowMs;
}

/** Takes the inputs of the next turn and starts it in the state. */
export function beginTurn(state: AgentState, spec: AgentSpec, id: string, now: string): CurrentTurn {
  const inputs = [...takeInputs(state), ...state.notices.splice(0)];
  state.turns += 1;
  state.run.turns += 1;
  const extra = extraInstructions(state, spec, inputs);
  if (extra !== undefined) inputs.push(systemNote(extra, 'instructions', state.turns, now));
  const budget = beginSpending(state, now);
  if (budget !== undefined) inputs.push(budget);
  const message = inputs.find(({ kind }) => kind !== 'system' && kind !== 'notify');
  if (message !== undefined) {
    state.working_on = messageHead(message);
    state.subject = subjectOf(inputs) ?? '';
    state.reminders = 0;
    state.assessments = 0;
  }
  const turn: CurrentTurn = {
    number: state.turns,
    id,
    started_at: now,
    inputs,
    running: true,
    interrupted_by: undefined,
  };
  state.turn = turn;
  state.parked = undefined;
  enterPhase(state, 'running', now);
  return turn;
}

/**
 * The requested result accompanies the prompt, checklist items the message that brought them. Repeated inputs already
 * include theirs.
 */
function extraInstructions(state: AgentState, spec: AgentSpec, inputs: readonly FollowUp[]): string | undefined {
  if (inputs.some(({ note }) => note === 'instructions')) return undefined;
  const followUps = inputs.filter((input) => input.kind !== 'prompt' && input.tasks !== undefined);
  const subjects = followUps.flatMap((input) => input.tasks ?? []);
  for (const subject of subjects) addTask(state, subject);
  return inputs.some((input) => input.kind === 'prompt') ? instructions(spec, spec.tasks) : checklistText(subjects);
}

/** Applies the outcome of the running turn and decides what follows it. */
export function endTurn(
  state: AgentState,
  spec: AgentSpec,
  outcome: TurnOutcome,
  clock: { readonly nowMs: number; readonly chance: number },
): Verdict {
  const now = new Date(clock.nowMs).toISOString();
  const turn = closeTurn(state);
  applyOutcome(state, turn, outcome, now);
  switch (outcome.status) {
    case 'completed':
      state.crashes = 0;
      state.api_failures = 0;
      return afterCompleted(state, spec, now);
    case 'interrupted': {
      state.crashes = 0;
      state.api_failures = 0;
      const limit = budgetCutNote(state, turn, now);
      if (limit !== undefined) state.due.unshift(limit);
      if (hasInput(state)) return { next: 'continue' };
      const by = turn.interrupted_by === undefined ? '' : ` by ${turn.interrupted_by}`;
      return { next: 'rest', complete: false, reason: `interrupted${by}; waits for a message`, code: 'interrupted' };
    }
    case 'api_error':
    case 'limit':
      parkAfterModelError(state, turn, outcome.error, clock.nowMs, clock.chance);
      return { next: 'continue' };
    case 'crashed':
    case 'cut_off': {
      const answered = outcome.answered ?? (outcome.response !== '' || Object.keys(outcome.cost.by_model).length > 0);
      const reason = continueTurn(state, turn, outcome.status, answered, now);
      return reason === undefined ? { next: 'continue' } : { next: 'fail', reason };
    }
  }
}

/** The machine was lost during the turn: its inputs are sent again on a new one. */
export function endLostTurn(state: AgentState, now: string): Verdict {
  chargeReported(state);
  const reason = continueTurn(state, closeTurn(state), 'machine_lost', false, now);
  return reason === undefined ? { next: 'continue' } : { next: 'fail', reason };
}

function closeTurn(state: AgentState): CurrentTurn {
  if (state.turn === undefined) throw new Error('a turn ended that was not started');
  const turn = state.turn;
  state.turn = { ...turn, running: false, inputs: [] };
  return turn;
}

function afterCompleted(state: AgentState, spec: AgentSpec, now: string): Verdict {
  if (hasInput(state)) return { next: 'continue' };
  const completion = checkCompletion(state, spec, now);
  if (completion.done) return checkAssessment(state, spec);
  if (completion.reminded) return { next: 'continue' };
  const { reason, code } = completion;
  return { next: 'rest', complete: false, reason, ...defined({ code }) };
}

function applyOutcome(state: AgentState, turn: CurrentTurn, outcome: TurnOutcome, now: string): void {
  state.cost = addCost(state.cost, outcome.cost);
  endSpending(state);
  clearDeliveredNotice(state, outcome);
  takeSession(state, outcome.session_id);
  if (outcome.branches.length > 0) state.branches = outcome.branches;
  if (outcome.response !== '') state.response = outcome.response;
  if (outcome.snapshot !== undefined) state.saved_turn = turn.number;
  state.commits += outcome.commits.length;
  state.tasks = activateTasks(state.tasks, outcome.files_modified);
  for (const commit of outcome.commits) recordEvent(state, { type: 'commit', ...commit }, now);
  for (const { sha, branch, repo } of outcome.pushes) recordEvent(state, { type: 'push', sha, branch, repo }, now);
  if (outcome.status === 'completed') {
    recordEvent(state, { type: 'taskComplete', turn: turn.number, response: outcome.response }, now);
  }
}
