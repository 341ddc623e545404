// The activities an agent workflow calls. Loaded by the workflow sandbox: types only.
import type { AgentRecord, AgentSpec, KillTarget, MachineView, ReceiptLine } from './agent.ts';
import type { AssessReply } from './assessment.ts';
import type { SourcedEvent } from './events.ts';
import type { KillOrder } from './messages.ts';
import type { Phase } from './phases.ts';
import type { Task } from './tasks.ts';
import type { FollowUp, StoredText, TurnNotice, TurnOutcome } from './turns.ts';

/** Which conversation an activity opens. */
export interface SessionInput {
  /** As an earlier activity told it; absent before, and then the spec's is wished for. */
  readonly session_id?: string;
}

export interface PrepareInput extends SessionInput {
  readonly spec: AgentSpec;
  /** As those of a turn; appended first. */
  readonly events?: readonly SourcedEvent[];
}

export interface PrepareResult {
  readonly vm: MachineView;
  /** Id of the agent program's session. Absent when the runner is of an earlier build: it is the spec's then. */
  readonly session_id?: string;
}

/** One turn. The id makes it idempotent: asked again, the runner re-attaches and never prompts twice. */
export interface RunTurnInput extends SessionInput {
  readonly spec: AgentSpec;
  readonly turn_id: string;
  readonly number: number;
  /** In order; their texts are joined into one prompt. Never empty. */
  readonly inputs: readonly FollowUp[];
  /** What the turn must have used, in US dollars, before it reports that to the workflow. Absent: it never reports. */
  readonly report_at_usd?: number;
  /**
   * Lifecycle events that the log may not have yet, appended before the turn starts: publishing them on their own would
   * delay the turn. The workflow publishes them again when it hears nothing better; the log drops what it has.
   */
  readonly events?: readonly SourcedEvent[];
}

/** The id makes it idempotent, as that of a turn does. */
export interface AssessInput extends SessionInput {
  readonly spec: AgentSpec;
  readonly assess_id: string;
  /** Which one it is, from 1. */
  readonly number: number;
  /** What the agent was spawned for. */
  readonly task: StoredText;
  /** What it was asked last, at some length. */
  readonly subject: string;
  readonly checklist: readonly Pick<Task, 'subject' | 'status'>[];
  /** Head of its last answer. */
  readonly response?: string;
}

export interface InterruptTurnInput {
  readonly spec: AgentSpec;
  /** The turn or assessment that is meant: an interrupt that arrives before its turn leaves a tombstone for it. */
  readonly turn_id: string;
}

export interface NoticeTurnInput {
  readonly spec: AgentSpec;
  readonly turn_id: string;
  readonly notice: TurnNotice;
}

export interface EndAgentInput {
  readonly spec: AgentSpec;
  /** The record to keep; its `snapshot` and the machine's state are filled in by the activity. */
  readonly record: AgentRecord;
  /** Lifecycle events that the log may not have, the end among them: appended when all else is done. */
  readonly events?: readonly SourcedEvent[];
}

export interface EndAgentResult {
  readonly machine_state: string;
  readonly snapshot?: string;
}

export interface KillAgentsInput {
  readonly agents: readonly KillTarget[];
  readonly order: KillOrder;
}

export interface KillAgentsResult {
  /** Of every agent that has ended, and of everything beneath it. */
  readonly receipt: readonly ReceiptLine[];
  /** How each of those that were named ended; `agent` is its workflow's id. */
  readonly ended: readonly { readonly agent: string; readonly phase: Phase; readonly total_usd: number }[];
  /** Workflow ids of those that did not end in time. */
  readonly unanswered: readonly string[];
}

export interface PublishEventsInput {
  /** Workflow id of the agent. */
  readonly agent: string;
  readonly events: readonly SourcedEvent[];
}

/** Node side of the agent workflow. Failures are ApplicationFailures whose type is an error code of the table. */
export interface AgentActivities {
  /**
   * Makes the machine, starts its runner, clones the repositories on their working branches and starts the agent
   * program. Idempotent. Fails with NOT_FOUND (repository, branch), FAILED_PRECONDITION (no program, no credentials
   * for git) or UNAVAILABLE.
   */
  prepareAgent(input: PrepareInput): Promise<PrepareResult>;
  /**
   * Runs one turn to its end, however it ends, and stores a snapshot. Re-attaches when the turn is already known.
   * Fails with MACHINE_LOST (see below) or, retryably, UNAVAILABLE and Handover.
   */
  runTurn(input: RunTurnInput): Promise<TurnOutcome>;
  /** Asks an assessor whether the task is done. What goes wrong with the model is part of the reply. */
  assess(input: AssessInput): Promise<AssessReply>;
  /** Ends a turn or an assessment; resolves when the runner has taken the order, which is before the turn has ended. */
  interruptTurn(input: InterruptTurnInput): Promise<void>;
  /**
   * Gives a notice to the running turn; resolves when the runner has it. The turn's outcome says whether the model has
   * read it.
   */
  noticeTurn(input: NoticeTurnInput): Promise<void>;
  /** Interrupts, takes the last snapshot, stops the runner, destroys the machine, deletes secrets, writes the record. */
  endAgent(input: EndAgentInput): Promise<EndAgentResult>;
  /**
   * Ends all of them and everything beneath: tells them at once, does for each what `endAgent` does, and collects their
   * receipts. Idempotent.
   */
  killAgents(input: KillAgentsInput): Promise<KillAgentsResult>;
  /** Appends lifecycle events to the event log. */
  publishEvents(input: PublishEventsInput): Promise<void>;
}

/** Failure types beside the error codes. */
export const MACHINE_LOST = 'MachineLost';
/** A worker that shuts down hands its turn to the next one (temporal-facts.md, deploy). */
export const HANDOVER = 'Handover';
