// Input, status and result of the agent workflow. Loaded by the workflow sandbox: types and constants only.
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

/** Characters of a purpose: one sentence for people. The product sets this limit. */
export const PURPOSE_LIMIT = 240;

/** A repository to clone, with all defaults applied. */
export interface RepoSpec {
  readonly clone_url: string;
  /** Branch to start from; the remote's default branch if absent. */
  readonly base_branch?: string;
  /** Working branch. */
  readonly branch: string;
  /** Set for a local repository: its path had no symbolic links at spawn. If it has some later, it is another path. */
  readonly real?: true;
}

/**
 * Everything that is decided at spawn and never changes. Secrets and long texts are references. Each field is sealed
 * (agents/sealed.ts), so a workflow that passes a spec on must not change it.
 */
export interface AgentSpec {
  readonly identity: AgentIdentity;
  /** Chosen by the caller of spawn; identifies a retried spawn. */
  readonly spawn_id: string;
  readonly machine: { readonly provider: string; readonly name: string };
  readonly repos: readonly RepoSpec[];
  /** Further remote repositories that a person allowed it and its descendants: see `isGranted`. */
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
  /** Account or agent path of the caller. */
  readonly created_by: string;
  /** Id of the agent's own token, which is deleted at its end. */
  readonly token_id?: string;
  /** The flight that it pilots: its name for people, and the object store key of its plan. */
  readonly flight?: { readonly name: string; readonly key: string };
  /** Workflow id of the flight that it works for. The flight gets the same events as the parent. */
  readonly for_flight?: string;
  /** Whether an assessor checks that a task is done. */
  readonly completion_check?: CompletionCheck;
  /** Cost limit of the agent and its descendants in US dollars. It can be changed later. */
  readonly max_cost_usd?: number;
  /** The first allowance from the parent's budget, in US dollars; the agent requests more. */
  readonly allowance_usd?: number;
  /**
   * Number of the workflow's last event in the log before this life of the agent's id; its own events count on from
   * there. Absent in the first life.
   */
  readonly events_after?: number;
  /** The fan-out, by its workflow id, that waits for the agent's first rest or its end, and its place in the list. */
  readonly slot?: { readonly fanout: string; readonly index: number };
  /** Lower limits than the defaults, for tests of continue-as-new. */
  readonly limits?: { readonly continue_after_turns?: number; readonly continue_after_signals?: number };
  /**
   * Digest of everything above but `prompt` and `allowance_usd`: the name by which activities find the stored spec.
   * Agents of earlier builds have none, and activities are given their whole spec.
   */
  readonly seal?: string;
}

/** An agent by the spec that was stored at its spawn (agents/sealed.ts), so that no history repeats the spec. */
export interface SessionRef {
  /** Workflow id. */
  readonly agent: string;
  readonly spawn_id: string;
  /** Provider of its machine, so that the agent can also be ended when its stored spec cannot be read. */
  readonly provider: string;
  readonly seal: string;
}

/** The agent that an activity works for. Exactly one of the two is given. */
export interface OfAgent {
  readonly session?: SessionRef;
  /** Of an agent without a `seal`, and without its prompt. */
  readonly spec?: AgentSpec;
}

/** Why an agent is parked. */
export interface Parked {
  readonly reason: string;
  /** ISO 8601; absent if only a person can end it. */
  readonly retry_at?: string;
}

/** An entry of the timeline: a lifecycle event, its time and who caused it. */
export type TimelineEntry = LifecycleEvent & { readonly at: string; readonly by?: string };

/** The agent's machine, as `status` shows it. */
export interface MachineView {
  readonly name: string;
  readonly provider: string;
  /** How the agent's processes are isolated: see drivers/machines. */
  readonly isolation: string;
  readonly state: 'provisioning' | 'running' | 'stopped' | 'gone';
}

/** Costs in US dollars. */
export interface CostView {
  /** The agent and its descendants. */
  readonly total_usd: number;
  readonly own_usd: number;
  readonly children_usd: number;
  readonly by_model: Readonly<Record<string, ModelUsage>>;
}

/** The answer of the `status` query. The API server adds the progress from the event log. */
export interface AgentStatus {
  readonly slug: string;
  readonly workspace: string;
  readonly account: string;
  /** Absolute path. */
  readonly path: string;
  readonly workflow: string;
  readonly phase: Phase;
  readonly phase_since: string;
  /** Why the agent is in its phase and what to do, unless that is obvious. */
  readonly reason?: string;
  readonly parked?: Parked;
  readonly purpose?: string;
  readonly model?: string;
  readonly out?: string;
  readonly on_idle: OnIdle;
  readonly dequeue_strategy: DequeueStrategy;
  /** First input of the running or last turn. */
  readonly working_on?: string;
  /** Starts of the queued follow-ups, in order. */
  readonly queued: readonly string[];
  readonly vm?: MachineView;
  readonly turn?: {
    readonly number: number;
    readonly id: string;
    readonly running: boolean;
    readonly started_at: string;
  };
  /** Number of the last turn with a stored snapshot. Only saved turns survive the loss of a machine. */
  readonly saved_turn?: number;
  readonly response?: string;
  readonly branches: readonly BranchState[];
  readonly commits: number;
  readonly prs: readonly string[];
  readonly cost: CostView;
  /** Present if the agent has a budget. */
  readonly budget?: BudgetView;
  /** Its children, in the order of their spawn. Present if requested and not empty. */
  readonly children?: readonly ChildView[];
  readonly tasks: { readonly total: number; readonly open: number };
  readonly timeline?: readonly TimelineEntry[];
  readonly created_at: string;
  readonly ended_at?: string;
  /** Starts of messages that were accepted but not delivered before the end. */
  readonly undelivered?: readonly string[];
  /**
   * Whether an accepted message has not been answered by a turn yet. While it is true, `wait` does not count
   * `task-complete` as reached.
   */
  readonly pending_input: boolean;
}

/** Input of the `status` query. */
export interface StatusQueryInput {
  /** Timeline types to include; absent: no timeline. */
  readonly timeline?: readonly TimelineType[];
  /** Whether to include the children. */
  readonly children?: boolean;
}

/** The record of an ended agent in the object store. It outlives the workflow's history. */
export interface AgentRecord {
  readonly status: AgentStatus;
  readonly tasks: readonly Task[];
  /**
   * The spec with which it was started, or would have been. Only a part of it if this installation has not sealed the
   * agent, and in what a workflow passes on. Its session id is that of the agent program, if one was reported.
   */
  readonly spec: Pick<AgentSpec, 'identity' | 'spawn_id' | 'repos' | 'session_id' | 'backend' | 'created_at'> &
    Partial<AgentSpec>;
  /** Object store key of the final snapshot. */
  readonly snapshot?: string;
}

/** A child in its parent's registry: as of the child's latest event. */
export interface ChildView {
  readonly slug: string;
  readonly spawn_id: string;
  readonly phase: Phase;
  /** Time of the last change of phase, ISO 8601. */
  readonly phase_since: string;
  readonly reason?: string;
  readonly purpose?: string;
  /** Start of its last answer. */
  readonly response?: string;
  readonly branches?: readonly string[];
  /** The child and its descendants. */
  readonly cost_usd: number;
  /** Set if it works for the flight that the agent pilots: the flight handles its ends. */
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

/** What an agent leaves that was killed by one who also ends its machine: all but the end of its workflow. */
export interface PendingCleanup extends OfAgent {
  readonly record: AgentRecord;
  /** Lifecycle events that the log may not have, including the end. */
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
