// The control state of an agent. Pure: contract/wire only. Plain JSON, because continue-as-new carries it over to the
// next run (migrate.ts).
import type { ChildView, DequeueStrategy, MachineView, Parked, TimelineEntry } from '../../contract/wire/agent.ts';
import type { SourcedEvent } from '../../contract/wire/events.ts';
import type { ChildEvent } from '../../contract/wire/messages.ts';
import type { Phase } from '../../contract/wire/phases.ts';
import type { Task } from '../../contract/wire/tasks.ts';
import type { BranchState, Cost, FollowUp } from '../../contract/wire/turns.ts';
import type { Budget } from './budget/budget.ts';

/** A child in the registry. */
export interface Child extends ChildView {
  /** The child's turn whose end last woke the agent. */
  readonly told_turn?: number;
  /** Set until its workflow exists: a signal would not find it. */
  readonly is_starting?: true;
}

/** Why an agent idles, as a code for decisions; `reason` is the text for people. */
export type IdleCode =
  /** Its turn or assessment was interrupted. */
  | 'interrupted'
  /** Its task is not done, and its children still work. */
  | 'waits_for_children';

/** The running turn, or the last one. */
export interface CurrentTurn {
  readonly number: number;
  readonly id: string;
  readonly started_at: string;
  /** Its inputs; kept only while it runs, to send them again if it is lost. */
  inputs: readonly FollowUp[];
  running: boolean;
  /** Who interrupted it; set once. */
  interrupted_by: string | undefined;
}

/** The running assessment. */
export interface Assessment {
  readonly id: string;
  /** Counted from 1 since the last message to the agent. */
  readonly number: number;
  interrupted_by: string | undefined;
}

/** A request to end the agent. A kill replaces a stop, nothing replaces a kill. */
export interface EndRequest {
  readonly how: 'kill' | 'stop' | 'terminate' | 'fail';
  readonly by: string;
  readonly reason: string | undefined;
  /** The parent ends too and needs no event. */
  readonly with_parent?: true;
  /** The sender of the kill ends the machine and writes the record. */
  readonly leave_machine?: true;
}

/** The schema of the state below, raised with every change that `migrate` must know of. */
export const SCHEMA = 1;

export interface AgentState {
  /** Schema of the build that wrote the state. */
  schema: number;
  phase: Phase;
  phase_since: string;
  /** For people; decisions use a code. */
  reason: string | undefined;
  idle_code: IdleCode | undefined;
  /**
   * The phase in the search attribute. It is upserted only for a phase that lasts, as each upsert costs a history
   * event.
   */
  shown_phase: Phase;
  parked: Parked | undefined;
  ended_at: string | undefined;
  vm: MachineView | undefined;
  /**
   * Id of the agent program's session, once an activity has reported it. Until then, and in earlier builds, the spec's
   * id counts.
   */
  session_id?: string;

  turn: CurrentTurn | undefined;
  turns: number;
  saved_turn: number | undefined;
  working_on: string | undefined;
  /** The messages behind `working_on` at more length, for the note after a turn was cut off. */
  subject: string;
  response: string | undefined;
  branches: readonly BranchState[];
  commits: number;
  cost: Cost;

  strategy: DequeueStrategy;
  /** Delivered first and not removed by `clear_queue`: the prompt, Murmur's own notes, inputs of a lost turn. */
  due: FollowUp[];
  /** From `session send`: each is a turn of its own, ahead of the queue. */
  sends: FollowUp[];
  queue: FollowUp[];
  /** Delivered with the next turn; they do not start one. */
  notices: FollowUp[];

  tasks: readonly Task[];
  next_task: number;

  /** In the order of their spawn, including ended ones up to a limit. */
  children: readonly Child[];
  /** Set once all agents of its flight are done. */
  flight_over?: true;
  /** Cost of children that were dropped from the registry. */
  forgotten_cost_usd: number;
  /** Unsent events for the parent; undefined for a root agent. */
  to_parent: Omit<ChildEvent, 'slug' | 'spawn_id'>[] | undefined;
  /** Number of events for the parent in the agent's life; makes their ids. */
  told: number;

  /** What the agent and its descendants may spend; undefined without a limit. */
  budget: Budget | undefined;

  /** Assessments since the last message to the agent, the running one, and what the last one found missing. */
  assessments: number;
  assessing: Assessment | undefined;
  missing: readonly string[];

  /** Reminders, crashes and failed model requests, each in a row. */
  reminders: number;
  crashes: number;
  api_failures: number;

  end: EndRequest | undefined;

  /** Ids of the newest messages, oldest first, to drop duplicates. */
  seen: string[];
  /** Number of signals in the agent's life; makes the id of a signal without one. */
  messages: number;

  timeline: TimelineEntry[];
  /** Events that the event log has not confirmed. */
  outbox: SourcedEvent[];
  /** Number of the last event; counted on from one life of the agent's id to the next. */
  last_event: number;

  /** Counters of this run only, for continue-as-new. */
  run: { turns: number; signals: number };
}
