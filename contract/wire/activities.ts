// The activities an agent workflow calls. Loaded by the workflow sandbox: types only.
import type { AgentRecord, KillTarget, MachineView, OfAgent, ReceiptLine } from './agent.ts';
import type { AssessReply } from './assessment.ts';
import type { SourcedEvent } from './events.ts';
import type { KillOrder } from './messages.ts';
import type { Phase } from './phases.ts';
import type { Task } from './tasks.ts';
import type { FollowUp, StoredText, TurnNotice, TurnOutcome } from './turns.ts';

/** The conversation that an activity opens. */
export interface SessionInput {
  /** The id that an earlier activity returned. While it is absent, the spec's id is requested. */
  readonly session_id?: string;
}

export interface PrepareInput extends OfAgent, SessionInput {
  /** As those of a turn; appended first. */
  readonly events?: readonly SourcedEvent[];
}

export interface PrepareResult {
  readonly vm: MachineView;
  /** Id of the agent program's session. Absent if the runner is of an earlier build: the spec's id then holds. */
  readonly session_id?: string;
}

/** One turn. The id makes it idempotent: asked again, the runner re-attaches and never prompts twice. */
export interface RunTurnInput extends OfAgent, SessionInput {
  readonly turn_id: string;
  readonly number: number;
  /** In order, and never empty. Their texts are joined into one prompt. */
  readonly inputs: readonly FollowUp[];
  /** Usage in US dollars at which the turn first reports to the workflow. Absent: it never reports. */
  readonly report_at_usd?: number;
  /**
   * Lifecycle events that the log may not have yet, appended before the turn starts. Publishing them separately would
   * delay the turn. Without a confirmation the workflow publishes them again; the log drops duplicates.
   */
  readonly events?: readonly SourcedEvent[];
}

/** The id makes it idempotent, as that of a turn does. */
export interface AssessInput extends OfAgent, SessionInput {
  readonly assess_id: string;
  /** Number of the assessment, from 1. */
  readonly number: number;
  /** The prompt of the spawn. */
  readonly task: StoredText;
  /** Start of the agent's latest input. */
  readonly subject: string;
  readonly checklist: readonly Pick<Task, 'subject' | 'status'>[];
  /** Start of its last answer. */
  readonly response?: string;
}

export interface InterruptTurnInput extends OfAgent {
  /** The turn or assessment that is meant: an interrupt that arrives before its turn leaves a tombstone for it. */
  readonly turn_id: string;
}

export interface NoticeTurnInput extends OfAgent {
  readonly turn_id: string;
  readonly notice: TurnNotice;
}

export interface EndAgentInput extends OfAgent {
  /** The record to keep; its `snapshot` and the machine's state are filled in by the activity. */
  readonly record: AgentRecord;
  /** Lifecycle events that the log may not have, including the end. The activity appends them last. */
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
  /** One line per ended agent, descendants included. */
  readonly receipt: readonly ReceiptLine[];
  /** How each target of the input ended; `agent` is a workflow id. */
  readonly ended: readonly { readonly agent: string; readonly phase: Phase; readonly total_usd: number }[];
  /** Workflow ids of agents that did not end in time. */
  readonly unanswered: readonly string[];
}

export interface PublishEventsInput {
  /** Workflow id of the agent. */
  readonly agent: string;
  readonly events: readonly SourcedEvent[];
}

/**
 * Node side of the agent workflow. Failures are ApplicationFailures; their type is an error code or a constant below.
 */
export interface AgentActivities {
  /**
   * Creates the machine, starts its runner, clones the repositories on their working branches and starts the agent
   * program. Idempotent. Fails with NOT_FOUND (repository, branch), FAILED_PRECONDITION (no program, no credentials
   * for git) or UNAVAILABLE.
   */
  prepareAgent(input: PrepareInput): Promise<PrepareResult>;
  /**
   * Runs one turn to its end and stores a snapshot. Re-attaches if the runner knows the turn already. Fails with
   * MACHINE_LOST or, retryably, with UNAVAILABLE and HANDOVER.
   */
  runTurn(input: RunTurnInput): Promise<TurnOutcome>;
  /** Asks an assessor whether the task is done. Problems with the model are part of the reply. */
  assess(input: AssessInput): Promise<AssessReply>;
  /** Interrupts a turn or an assessment. Resolves when the runner has acknowledged, before the turn has ended. */
  interruptTurn(input: InterruptTurnInput): Promise<void>;
  /**
   * Sends a notice to the running turn. Resolves when the runner has it. The turn's outcome says whether the model got
   * it.
   */
  noticeTurn(input: NoticeTurnInput): Promise<void>;
  /** Cleans up after an agent, in the order of `endInOrder` (agents/end.ts). Idempotent. */
  endAgent(input: EndAgentInput): Promise<EndAgentResult>;
  /**
   * Ends the agents and all their descendants: signals all of them at once, cleans up each like `endAgent`, and
   * collects their receipts. Idempotent.
   */
  killAgents(input: KillAgentsInput): Promise<KillAgentsResult>;
  /** Appends lifecycle events to the event log. */
  publishEvents(input: PublishEventsInput): Promise<void>;
}

/** Failure type: the machine is gone. */
export const MACHINE_LOST = 'MachineLost';
/** Failure type: the worker shuts down and hands its turn over to the next one. */
export const HANDOVER = 'Handover';

/**
 * Encoding of an input that names its agent by a reference: JSON, under a name of its own. A worker of a build that cannot
 * read references does not know the name, and Temporal retries what it does not know. Another form gets another name.
 */
export const REFERENCE_ENCODING = 'json/murmur-ref';
