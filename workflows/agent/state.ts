// The control state of an agent: data and its phase machine. Pure: no Temporal import, contract/wire only.
// Everything here is plain JSON, because it is also what one run hands to the next when the workflow continues as new.
import type { AgentSpec, DequeueStrategy, MachineView, Parked, TimelineEntry } from '../../contract/wire/agent.ts';
import type { LifecycleEvent, SourcedEvent } from '../../contract/wire/events.ts';
import type { ChildEvent } from '../../contract/wire/messages.ts';
import type { Phase } from '../../contract/wire/phases.ts';
import type { Task } from '../../contract/wire/tasks.ts';
import type { BranchState, Cost, FollowUp } from '../../contract/wire/turns.ts';
import { newBudget } from './budget/budget.ts';
import type { Budget } from './budget/budget.ts';
import { createTask } from './turn/checklist.ts';
import { tellParent } from './children/children.ts';
import type { Child } from './children/children.ts';
import { addToTimeline, recordEvent } from './timeline.ts';

/** The running turn, or the last one. */
export interface CurrentTurn {
  readonly number: number;
  readonly id: string;
  readonly started_at: string;
  /** What it was asked; kept only while it runs, to say it again when it is lost. */
  inputs: readonly FollowUp[];
  running: boolean;
  /** Who asked for its end; set once. */
  interrupted_by: string | undefined;
}

/** The assessment that runs. */
export interface Assessment {
  readonly id: string;
  /** From 1, since somebody last asked for something. */
  readonly number: number;
  interrupted_by: string | undefined;
}

/** Why the agent is to end. A kill replaces a stop, nothing replaces a kill. */
export interface EndOrder {
  readonly how: 'kill' | 'stop' | 'terminate' | 'fail';
  readonly by: string;
  readonly reason: string | undefined;
  /** Its parent ends too, and need not be told. */
  readonly with_parent?: true;
  /** Whoever ordered it ends the machine. */
  readonly leave_machine?: true;
}

export interface AgentState {
  phase: Phase;
  phase_since: string;
  reason: string | undefined;
  /** The phase that visibility shows. It is upserted only when a phase lasts, as each upsert costs a history event. */
  shown_phase: Phase;
  parked: Parked | undefined;
  ended_at: string | undefined;
  vm: MachineView | undefined;

  turn: CurrentTurn | undefined;
  turns: number;
  saved_turn: number | undefined;
  working_on: string | undefined;
  /** The messages behind `working_on` at more length, for notes after an interruption from outside. */
  subject: string;
  response: string | undefined;
  branches: readonly BranchState[];
  commits: number;
  cost: Cost;

  strategy: DequeueStrategy;
  /** Delivered before all else and untouched by clear: the prompt, Murmur's own notes, inputs of a lost turn. */
  due: FollowUp[];
  /** `session send`: each a turn of its own, ahead of the queue. */
  sends: FollowUp[];
  queue: FollowUp[];
  /** Read with the next turn, whatever starts it. */
  notices: FollowUp[];

  tasks: readonly Task[];
  next_task: number;

  /** In the order of their spawn; ended ones up to a limit. */
  children: readonly Child[];
  /** All agents of its flight are done. */
  flight_over?: true;
  /** What children cost that are no longer remembered. */
  forgotten_cost_usd: number;
  /** What the parent has not been told yet; undefined for an agent without one. */
  to_parent: Omit<ChildEvent, 'slug' | 'spawn_id'>[] | undefined;
  /** Messages to the parent in the agent's life. */
  told: number;

  /** What the agent and everything beneath it may spend; undefined without a limit. */
  budget: Budget | undefined;

  /** Assessments since somebody last asked for something, the one that runs, and what the last one missed. */
  assessments: number;
  assessing: Assessment | undefined;
  missing: readonly string[];

  /** Reminders in a row, crashes in a row, failed model requests in a row. */
  reminders: number;
  crashes: number;
  api_failures: number;

  end: EndOrder | undefined;

  /** Ids of the newest messages, oldest first. */
  seen: string[];
  /** Signals in the agent's life; also makes the id of one that came without. */
  messages: number;

  timeline: TimelineEntry[];
  /** Events that the log has not confirmed. */
  outbox: SourcedEvent[];
  /** Number of the last event. */
  last_event: number;

  /** Counters of this run alone, for continue-as-new. */
  run: { turns: number; signals: number };
}

/** The state of an agent that has just been spawned. */
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
    phase: 'starting',
    phase_since: now,
    reason: undefined,
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
    tasks: [],
    next_task: 1,
    ...family(spec),
    reminders: 0,
    crashes: 0,
    api_failures: 0,
    end: undefined,
    seen: [spec.spawn_id],
    messages: 0,
    timeline: [],
    outbox: [],
    last_event: 0,
    run: { turns: 0, signals: 0 },
  };
  for (const subject of spec.tasks) addTask(state, subject);
  recordEvent(state, { type: 'phase', phase: 'starting' }, now);
  return state;
}

/** What runs of earlier versions did not have in their state. */
type Later =
  | 'children'
  | 'forgotten_cost_usd'
  | 'to_parent'
  | 'told'
  | 'budget'
  | 'notices'
  | 'assessments'
  | 'assessing'
  | 'missing';

function family(spec: AgentSpec): Pick<AgentState, Later> {
  const to_parent = spec.identity.path.length < 2 ? undefined : [];
  const assessed = { assessments: 0, assessing: undefined, missing: [] };
  return { children: [], forgotten_cost_usd: 0, to_parent, told: 0, notices: [], budget: budgetOf(spec), ...assessed };
}

function budgetOf({ max_cost_usd: limit, allowance_usd: allowance }: AgentSpec): Budget | undefined {
  return limit === undefined && allowance === undefined ? undefined : newBudget(limit, allowance);
}

/** The state of the run before, also of one that knew nothing of families and budgets. */
export function takenOver(carried: AgentState, spec: AgentSpec): AgentState {
  return { ...family(spec), ...carried };
}

/** The state as the next run takes it over. */
export function carriedState(state: AgentState): AgentState {
  return { ...state, run: { turns: 0, signals: 0 } };
}

/** Where each phase can go. Terminal phases go nowhere. */
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
 * Changes the phase and its reason, and records the change. Without a change it does nothing.
 * Throws a plain Error for a transition that is not in the table: that is a defect, and must not look like a result.
 */
export function enterPhase(state: AgentState, phase: Phase, now: string, reason?: string): void {
  if (phase === state.phase && reason === state.reason) return;
  changePhase(state, phase, now, reason, recordEvent);
}

/** As `enterPhase`, for a change that is in the outbox already. */
export function enterAnnouncedPhase(state: AgentState, phase: Phase, now: string, reason?: string): void {
  if (phase !== state.phase) changePhase(state, phase, now, reason, addToTimeline);
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
  tellParent(state, previous, now);
}

/** A change of phase as an event. */
export function phaseEvent(phase: Phase, reason: string | undefined): LifecycleEvent {
  return { type: 'phase', phase, ...(reason === undefined ? {} : { reason }) };
}

/** Orders the end. A kill is taken over by nothing, every other order only by a kill. Answers whether it was taken. */
export function orderEnd(state: AgentState, order: EndOrder): boolean {
  if (state.end !== undefined && (order.how !== 'kill' || state.end.how === 'kill')) return false;
  state.end = order;
  return true;
}

/** Adds a checklist item that comes with the spawn or with a follow-up. Silent when the checklist is full. */
export function addTask(state: AgentState, subject: string): void {
  const { tasks } = createTask(state.tasks, { subject: subject.slice(0, 1000) }, String(state.next_task), 'silent');
  if (tasks === state.tasks) return;
  state.tasks = tasks;
  state.next_task += 1;
}
