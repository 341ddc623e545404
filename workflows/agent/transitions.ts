// The initial state of an agent, and its phase machine. Pure: contract/wire only.
import type { SessionInput } from '../../contract/wire/activities.ts';
import type { AgentSpec } from '../../contract/wire/agent.ts';
import type { LifecycleEvent } from '../../contract/wire/events.ts';
import type { Phase } from '../../contract/wire/phases.ts';
import type { FollowUp } from '../../contract/wire/turns.ts';
import { newBudget } from './budget/budget.ts';
import type { Budget } from './budget/budget.ts';
import { notifyParent } from './children/children.ts';
import { SCHEMA } from './state.ts';
import type { AgentState, EndRequest, IdleCode } from './state.ts';
import { addToTimeline, recordEvent } from './timeline.ts';
import { createTask } from './turn/checklist.ts';

/** The state of an agent that was just spawned. */
export function initialState(spec: AgentSpec, now: string): AgentState {
  const prompt: FollowUp = {
    id: spec.spawn_id,
    kind: 'prompt',
    text: spec.prompt,
    ...(spec.tasks.length === 0 ? {} : { tasks: spec.tasks }),
    from: spec.created_by,
    at: spec.created_at,
  };
  const state: AgentState = {
    schema: SCHEMA,
    phase: 'starting',
    phase_since: now,
    reason: undefined,
    idle_code: undefined,
    shown_phase: 'starting',
    parked: undefined,
    ended_at: undefined,
    vm: undefined,
    turn: undefined,
    turns: 0,
    saved_turn: undefined,
    working_on: undefined,
    subject: '',
    response: undefined,
    branches: [],
    commits: 0,
    cost: { usd: 0, by_model: {} },
    strategy: spec.dequeue_strategy,
    due: [prompt],
    sends: [],
    queue: [],
    notices: [],
    tasks: [],
    next_task: 1,
    children: [],
    forgotten_cost_usd: 0,
    to_parent: initialParentOutbox(spec),
    told: 0,
    budget: specBudget(spec),
    assessments: 0,
    assessing: undefined,
    missing: [],
    reminders: 0,
    crashes: 0,
    api_failures: 0,
    end: undefined,
    seen: [spec.spawn_id],
    messages: 0,
    timeline: [],
    outbox: [],
    // Counts on from the earlier life: the log drops numbers that it already has.
    last_event: spec.events_after ?? 0,
    run: { turns: 0, signals: 0 },
  };
  for (const subject of spec.tasks) addTask(state, subject);
  recordEvent(state, { type: 'phase', phase: 'starting' }, now);
  return state;
}

/** An empty outbox of events for the parent; undefined for a root agent. */
export function initialParentOutbox({ identity }: AgentSpec): [] | undefined {
  return identity.path.length < 2 ? undefined : [];
}

/** The budget that the spec defines; undefined without one. */
export function specBudget({ max_cost_usd: limit, allowance_usd: allowance }: AgentSpec): Budget | undefined {
  return limit === undefined && allowance === undefined ? undefined : newBudget(limit, allowance);
}

/** The allowed transitions. Terminal phases have none. */
export const TRANSITIONS: Readonly<Record<Phase, readonly Phase[]>> = {
  starting: ['running', 'idle', 'completed', 'failed', 'canceled'],
  running: ['task-complete', 'idle', 'completed', 'failed', 'canceled'],
  'task-complete': ['running', 'idle', 'completed', 'failed', 'canceled'],
  idle: ['running', 'completed', 'failed', 'canceled'],
  completed: [],
  failed: [],
  canceled: [],
};

/**
 * Changes the phase and its reason, and records the change. Does nothing if neither changes. Throws a plain Error for a
 * transition that is not in the table: a defect must not look like a result.
 * @param code what the reason means, for an agent that idles
 */
export function enterPhase(state: AgentState, phase: Phase, now: string, reason?: string, code?: IdleCode): void {
  if (phase === state.phase && reason === state.reason) return;
  state.idle_code = code;
  changePhase(state, phase, now, reason, recordEvent);
}

/** Like `enterPhase`, for a change that is in the outbox already. */
export function enterPublishedPhase(state: AgentState, phase: Phase, now: string, reason?: string): void {
  if (phase === state.phase) return;
  state.idle_code = undefined;
  changePhase(state, phase, now, reason, addToTimeline);
}

function changePhase(
  state: AgentState,
  phase: Phase,
  now: string,
  reason: string | undefined,
  record: typeof recordEvent,
): void {
  const previous = state.phase;
  if (phase !== state.phase) {
    if (!TRANSITIONS[state.phase].includes(phase)) throw new Error(`no transition from ${state.phase} to ${phase}`);
    state.phase = phase;
    state.phase_since = now;
  }
  state.reason = reason;
  record(state, phaseEvent(phase, reason), now);
  notifyParent(state, previous, now);
}

/** The lifecycle event of a phase change. */
export function phaseEvent(phase: Phase, reason: string | undefined): LifecycleEvent {
  return { type: 'phase', phase, ...(reason === undefined ? {} : { reason }) };
}

/**
 * Requests the end. A kill replaces any other request, and nothing replaces a kill. Returns whether the request was
 * accepted.
 */
export function requestEnd(state: AgentState, request: EndRequest): boolean {
  if (state.end !== undefined && (request.how !== 'kill' || state.end.how === 'kill')) return false;
  state.end = request;
  return true;
}

/** Adds a checklist item from the spawn or a follow-up. Does nothing if the checklist is full. */
export function addTask(state: AgentState, subject: string): void {
  const { tasks } = createTask(state.tasks, { subject: subject.slice(0, 1000) }, String(state.next_task), 'silent');
  if (tasks === state.tasks) return;
  state.tasks = tasks;
  state.next_task += 1;
}

/** Records the id of the agent program's session, if an activity has reported it. */
export function takeSession(state: AgentState, told: string | undefined): void {
  if (told !== undefined) state.session_id = told;
}

/** The session that an activity must open. */
export function sessionInput({ session_id }: AgentState): SessionInput {
  return session_id === undefined ? {} : { session_id };
}
