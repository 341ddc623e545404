// The control state of an agent. Pure: contract/wire only.
// Everything here is plain JSON: one run hands it to the next when the workflow continues as new (migrate.ts).
import type { ChildView, DequeueStrategy, MachineView, Parked, TimelineEntry } from '../../contract/wire/agent.ts';
import type { SourcedEvent } from '../../contract/wire/events.ts';
import type { ChildEvent } from '../../contract/wire/messages.ts';
import type { Phase } from '../../contract/wire/phases.ts';
import type { Task } from '../../contract/wire/tasks.ts';
import type { BranchState, Cost, FollowUp } from '../../contract/wire/turns.ts';
import type { Budget } from './budget/budget.ts';

/** A child in the registry. */
export interface Child extends ChildView {
  /** Its turn whose end the agent was woken for. */
  readonly told_turn?: number;
  /** Set until Temporal has its workflow: a signal would not find it. */
  readonly is_starting?: true;
}

/** Why an agent idles, where that decides something; the reason says it in words. */
export type IdleCode =
  /** Its turn or assessment was interrupted. */
  | 'interrupted'
  /** It is not done, and its children are not either. */
  | 'waits_for_children';

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

/** The number of the shape below, raised with each change that `migrate` must know of. */
export const SCHEMA = 1;

export interface AgentState {
  /** Of the build that has written it. */
  schema: number;
  phase: Phase;
  phase_since: string;
  /** For people; a decision looks at a code. */
  reason: string | undefined;
  idle_code: IdleCode | undefined;
  /** The phase that visibility shows. It is upserted only when a phase lasts, as each upsert costs a history event. */
  shown_phase: Phase;
  parked: Parked | undefined;
  ended_at: string | undefined;
  vm: MachineView | undefined;
  /** Id of the agent program's session, once an activity has told it; before, and in earlier builds, that of the spec. */
  session_id?: string;

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
