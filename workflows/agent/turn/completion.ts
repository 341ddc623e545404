// Decides whether the task is done when a turn ends and no input waits: first by checklist and requested result, then
// by an assessor if one is requested. Pure: contract/wire only.
import type { AssessInput } from '../../../contract/wire/activities.ts';
import type { AgentSpec } from '../../../contract/wire/agent.ts';
import { ASSESSMENT_LIMIT } from '../../../contract/wire/assessment.ts';
import type { AssessReply } from '../../../contract/wire/assessment.ts';
import { addCost } from '../../../contract/wire/cost.ts';
import type { BranchState } from '../../../contract/wire/turns.ts';
import { ofAgent } from '../../session-ref.ts';
import { endSpending, maySpend } from '../budget/spending.ts';
import { hasBusyChildren, WAITS_FOR_CHILDREN } from '../children/children.ts';
import type { AgentState, Assessment, IdleCode } from '../state.ts';
import { head, recordEvent } from '../timeline.ts';
import { sessionInput } from '../transitions.ts';
import { listTasks, openTasks } from './checklist.ts';
import { missingNote, reminder, systemNote } from './prompts.ts';
import { hasInput } from './queue.ts';

/** What follows a turn. */
export type Verdict =
  /** Input waits for the next turn, or will be retried at `parked.retry_at`. */
  | { readonly next: 'continue' }
  /** The work looks complete; an assessor judges it next. */
  | { readonly next: 'assess' }
  /** No input waits. `complete` if the task is done, which ends an agent with `on_idle: terminate`. */
  | { readonly next: 'rest'; readonly complete: boolean; readonly reason?: string; readonly code?: IdleCode }
  | { readonly next: 'fail'; readonly reason: string };

/**
 * Reminders in a row. A model that has not finished after three is stuck or disagrees: more would only cost money, and
 * a person must look.
 */
export const REMINDER_LIMIT = 3;

export type Completion =
  | { readonly done: true }
  /** A reminder was added to `due`. */
  | { readonly done: false; readonly reminded: true }
  /** The reminders are used up, or children still work: the agent idles with this reason. */
  | { readonly done: false; readonly reminded: false; readonly reason: string; readonly code?: IdleCode };

/** Checks the checklist and the requested result, and adds a reminder of what is missing. */
export function checkCompletion(state: AgentState, spec: AgentSpec, now: string): Completion {
  const open = openTasks(state.tasks);
  const { unpushed, missing } = unpushedBranches(state.branches, spec);
  if (open.length + unpushed.length + missing.length === 0) {
    state.reminders = 0;
    return { done: true };
  }
  // Children may be doing the missing work, and each of them wakes the agent.
  if (hasBusyChildren(state)) return { done: false, reminded: false, ...WAITS_FOR_CHILDREN };
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

/** For `out: push`: branches whose head is not on origin, and working branches that no turn has reported. */
function unpushedBranches(
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

/** Characters of the agent's last answer that the assessor sees: it judges the work, not the answer. */
const ANSWER_LIMIT = 4_000;

/**
 * What follows a turn that looks complete: an assessment if one is requested, otherwise rest. An agent that was
 * assessed often enough, or has no money for it, idles with that reason.
 */
export function checkAssessment(state: AgentState, spec: AgentSpec): Verdict {
  if (spec.completion_check !== 'assessor') return { next: 'rest', complete: true };
  // Children still work; the last one wakes the agent.
  if (hasBusyChildren(state)) return { next: 'rest', complete: false, ...WAITS_FOR_CHILDREN };
  if (state.assessments >= ASSESSMENT_LIMIT) {
    const reason = `the assessor has found something missing ${String(ASSESSMENT_LIMIT)} times: ${state.missing.join('; ')}`;
    return { next: 'rest', complete: false, reason };
  }
  if (!maySpend(state)) return { next: 'rest', complete: true, reason: 'not assessed: the budget is used up' };
  return { next: 'assess' };
}

/** Starts an assessment in the state. */
export function beginAssessment(state: AgentState, id: string): Assessment {
  state.assessments += 1;
  const assessment: Assessment = { id, number: state.assessments, interrupted_by: undefined };
  state.assessing = assessment;
  return assessment;
}

/** The input of the `assess` activity. */
export function assessmentInput(state: AgentState, spec: AgentSpec, { id, number }: Assessment): AssessInput {
  return {
    ...ofAgent(spec),
    ...sessionInput(state),
    assess_id: id,
    number,
    task: spec.prompt,
    subject: state.subject,
    checklist: listTasks(state.tasks).map(({ subject, status }) => ({ subject, status })),
    ...(state.response === undefined ? {} : { response: head(state.response, ANSWER_LIMIT) }),
  };
}

/** Applies the reply: its cost, a note on the timeline, and the input of the next turn if something is missing. */
export function endAssessment(state: AgentState, reply: AssessReply, now: string): Verdict {
  const { assessing } = state;
  if (assessing === undefined) throw new Error('an assessment ended that was not started');
  state.assessing = undefined;
  state.cost = addCost(state.cost, reply.cost);
  endSpending(state);
  const name = `assessment ${String(assessing.number)} of ${String(ASSESSMENT_LIMIT)}`;
  const note = (text: string): void =>
    recordEvent(state, { type: 'note', text: `${name}: ${text}` }, now, assessing.interrupted_by);
  const { status, verdict, problem = 'no reason was given' } = reply;
  if (status === 'interrupted') {
    const by = assessing.interrupted_by === undefined ? '' : ` by ${assessing.interrupted_by}`;
    note(`interrupted${by}`);
    if (hasInput(state)) return { next: 'continue' };
    return { next: 'rest', complete: false, reason: `interrupted${by}; waits for a message`, code: 'interrupted' };
  }
  if (status === 'not_assessed' || verdict === undefined) {
    note(`not assessed: ${problem}`);
    if (hasInput(state)) return { next: 'continue' };
    return { next: 'rest', complete: true, reason: `not assessed: ${problem}` };
  }
  const { done, reason, missing } = verdict;
  note(done ? `done: ${reason}` : `not done: ${reason} Missing: ${missing.join('; ')}`);
  state.missing = missing;
  if (!done) state.due.push(systemNote(missingNote(reason, missing), 'assessment', state.turns, now));
  return hasInput(state) ? { next: 'continue' } : { next: 'rest', complete: true };
}
