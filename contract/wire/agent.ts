// What an agent workflow is started with and what it answers. Loaded by the workflow sandbox: types and constants only.
import type { CompletionCheck } from './assessment.ts';
import type { BudgetView } from './budget.ts';
import type { LifecycleEvent, SourcedEvent, TimelineType } from './events.ts';
import type { AgentIdentity } from './identity.ts';
import type { Phase } from './phases.ts';
import type { Task } from './tasks.ts';
import type { BranchState, Cost, ModelUsage, StoredText } from './turns.ts';

export const DEQUEUE_STRATEGIES = ['all', 'one', 'five'] as const;
export type DequeueStrategy = (typeof DEQUEUE_STRATEGIES)[number];

export const ON_IDLE = ['keep_alive', 'terminate'] as const;
export type OnIdle = (typeof ON_IDLE)[number];

export const BACKENDS = ['claude', 'fake'] as const;
export type BackendName = (typeof BACKENDS)[number];

/** One sentence for people; the product's limit. */
export const PURPOSE_LIMIT = 240;

/** A repository to clone, all choices made. */
export interface RepoSpec {
  readonly clone_url: string;
  /** Branch to start from; the remote's default branch when absent. */
  readonly base_branch?: string;
  /** Working branch. */
  readonly branch: string;
  /** Of a local repository: its path had no links in it at spawn. Should it have some later, it leads elsewhere. */
  readonly real?: true;
}

/**
 * Everything that is decided at spawn and never changes. References only: no secret, no content past the limit. Each field is
 * sealed (agents/sealed.ts): a workflow that hands a spec on must not change it.
 */
export interface AgentSpec {
  readonly identity: AgentIdentity;
  /** Made by the caller of spawn: a retried spawn is recognised by it. */
  readonly spawn_id: string;
  readonly machine: { readonly provider: string; readonly name: string };
  readonly repos: readonly RepoSpec[];
  /** Remote repositories that a person allowed it and all beneath it, beside its own and its root's: see `isGranted`. */
  readonly allow_repos?: readonly string[];
  readonly prompt: StoredText;
  readonly purpose?: string;
  readonly backend: BackendName;
  readonly model?: string;
  readonly append_system_prompt?: StoredText;
  /** `push`, `respond`, or free text for the model. */
  readonly out?: string;
  readonly on_idle: OnIdle;
  readonly dequeue_strategy: DequeueStrategy;
  readonly tasks: readonly string[];
  /** Key in the secret store of the spawn-time secrets, and their names for people. */
  readonly secrets?: { readonly ref: string; readonly names: readonly string[] };
  /** UUID of the agent program's session. */
  readonly session_id: string;
  readonly created_at: string;
  /** Account or agent path that asked for it. */
  readonly created_by: string;
  /** Id of the agent's own token, which dies with it. */
  readonly token_id?: string;
  /** The flight that it pilots: its name for people, and the object store key of its plan. */
  readonly flight?: { readonly name: string; readonly key: string };
  /** The flight that it works for, by its workflow id: it is told what the parent is told. */
  readonly for_flight?: string;
  /** Who says that a task is done, beside the agent itself. */
  readonly completion_check?: CompletionCheck;
  /** Limit in US dollars of what the agent and everything beneath it may cost. It can be changed later. */
  readonly max_cost_usd?: number;
  /** What the parent grants it of its own budget to begin with, in US dollars; renewed on request. */
  readonly allowance_usd?: number;
  /** The fan-out, by its workflow id, that waits for the agent's first rest or its end, and its place in the list. */
  readonly slot?: { readonly fanout: string; readonly index: number };
  /** Lower limits than the defaults, for tests of continue-as-new. */
  readonly limits?: { readonly continue_after_turns?: number; readonly continue_after_signals?: number };
}

/** Why an idle agent waits for more than a follow-up. */
export interface Parked {
  readonly reason: string;
  /** ISO 8601; absent when only a person can end it. */
  readonly retry_at?: string;
}

/** An entry of the timeline: a lifecycle event with its time, and who caused it. */
export type TimelineEntry = LifecycleEvent & { readonly at: string; readonly by?: string };

/** The machine as the agent sees it. */
export interface MachineView {
  readonly name: string;
  readonly provider: string;
  /** How the agent's processes are held apart: see drivers/machines. */
  readonly isolation: string;
  readonly state: 'provisioning' | 'running' | 'stopped' | 'gone';
}

/** Money in US dollars. */
export interface CostView {
  /** The agent and everything beneath it. */
  readonly total_usd: number;
  readonly own_usd: number;
  readonly children_usd: number;
  readonly by_model: Readonly<Record<string, ModelUsage>>;
}

/** The answer of the `status` query: what the workflow knows. The API server adds progress from the event log. */
export interface AgentStatus {
  readonly slug: string;
  readonly workspace: string;
  readonly account: string;
  /** Absolute path. */
  readonly path: string;
  readonly workflow: string;
  readonly phase: Phase;
  readonly phase_since: string;
  /** Why the agent is in its phase, and what to do, when that is not plain. */
  readonly reason?: string;
  readonly parked?: Parked;
  readonly purpose?: string;
  readonly model?: string;
  readonly out?: string;
  readonly on_idle: OnIdle;
  readonly dequeue_strategy: DequeueStrategy;
  /** What the agent works on: the running turn's first input, or the last. */
  readonly working_on?: string;
  /** Heads of the follow-ups that wait, in order. */
  readonly queued: readonly string[];
  readonly vm?: MachineView;
  readonly turn?: {
    readonly number: number;
    readonly id: string;
    readonly running: boolean;
    readonly started_at: string;
  };
  /** Number of the last turn whose snapshot is stored; only saved turns are promised after the loss of a machine. */
  readonly saved_turn?: number;
  readonly response?: string;
  readonly branches: readonly BranchState[];
  readonly commits: number;
  readonly prs: readonly string[];
  readonly cost: CostView;
  /** Present when the agent has a budget. */
  readonly budget?: BudgetView;
  /** Present when asked for and when it has any: its children, in the order of their spawn. */
  readonly children?: readonly ChildView[];
  readonly tasks: { readonly total: number; readonly open: number };
  readonly timeline?: readonly TimelineEntry[];
  readonly created_at: string;
  readonly ended_at?: string;
  /** Heads of messages that were accepted but could not be delivered before the end. */
  readonly undelivered?: readonly string[];
  /**
   * Whether input that was accepted has not been answered by a turn: `task-complete` is not reached for a waiter
   * while it is true.
   */
  readonly pending_input: boolean;
}

/** What the `status` query takes. */
export interface StatusQueryInput {
  /** Types to include; absent: no timeline. */
  readonly timeline?: readonly TimelineType[];
  /** Whether to include the children. */
  readonly children?: boolean;
}

/** The record of an ended agent in the object store: right after history is gone. */
export interface AgentRecord {
  readonly status: AgentStatus;
  readonly tasks: readonly Task[];
  /** All that it was started with. Of an agent that was never started, or not by this installation, only a part is known. */
  readonly spec: Pick<AgentSpec, 'identity' | 'spawn_id' | 'repos' | 'session_id' | 'backend' | 'created_at'> &
    Partial<AgentSpec>;
  /** Object store key of the final snapshot. */
  readonly snapshot?: string;
}

/** A child as its parent knows it: from its own messages, so that it is at most one message behind. */
export interface ChildView {
  readonly slug: string;
  readonly spawn_id: string;
  readonly phase: Phase;
  /** ISO 8601, of the last change of phase. */
  readonly phase_since: string;
  readonly reason?: string;
  readonly purpose?: string;
  /** Head of its last answer. */
  readonly response?: string;
  readonly branches?: readonly string[];
  /** The child and everything beneath it. */
  readonly cost_usd: number;
  /** It works for the flight that the agent pilots: the flight acts upon its ends. */
  readonly flight?: true;
}

/** One line of a kill receipt. */
export interface ReceiptLine {
  readonly path: string;
  readonly phase: Phase;
  readonly machine: string;
  /** `destroyed`, or why not. */
  readonly machine_state: string;
  readonly snapshot?: string;
  readonly cost_usd: number;
}

/** What a kill needs to know about one agent. */
export interface KillTarget {
  /** Workflow id. */
  readonly agent: string;
  readonly spawn_id: string;
  /** Cost of the agent and its descendants, as last reported to its parent. */
  readonly cost_usd: number;
}

/**
 * The clean-up of an agent that was killed together with its parent. Its workflow has completed; the killer still has to
 * end its machine and to write its record.
 */
export interface PendingCleanup {
  /** Without the prompt. */
  readonly spec: AgentSpec;
  readonly record: AgentRecord;
  /** Lifecycle events that the log may not have, the end among them. */
  readonly events: readonly SourcedEvent[];
  /** Its children that have not ended. */
  readonly children: readonly KillTarget[];
}

/** The result of an agent workflow. */
export interface AgentResult {
  readonly phase: Phase;
  readonly reason?: string;
  readonly receipt: readonly ReceiptLine[];
  readonly cost: Cost;
  /** Cost of the agent and its descendants. */
  readonly total_usd: number;
  /** Present while this clean-up is pending; the receipt then only covers the agent's workflow. */
  readonly left?: PendingCleanup;
}
