// Names and payloads of everything that is sent to an agent workflow. Loaded by the workflow sandbox.
import type { AgentSpec, AgentStatus, DequeueStrategy, StatusQueryInput } from './agent.ts';
import type { BudgetGrant, BudgetNotice, BudgetRequest, BudgetView, UsageReport } from './budget.ts';
import { namesOf } from './names.ts';
import type { Phase } from './phases.ts';
import type { Task, TaskCreateInput, TaskUpdateInput } from './tasks.ts';
import type { FollowUp } from './turns.ts';

/** Workflow type of an agent. */
export const AGENT_WORKFLOW = 'agent';

/** Who asks, and the id that makes asking twice harmless. Every part is absent when an operator signals by hand. */
export interface Order {
  readonly id: string;
  readonly from: string;
}

export interface KillOrder extends Order {
  readonly reason?: string;
  /** The parent is killed as well and learns of the end from the receipt: it need not be told. */
  readonly with_parent?: true;
  /** The spawn that is meant: a later life of the agent's id goes on. Absent in what a person orders. */
  readonly spawn_id?: string;
  /** Whoever kills also ends the machine: the agent completes at once, and its result says what it has left. */
  readonly leave_machine?: true;
}

/** Signals carry what must not be lost: durable once acknowledged, no worker needed. */
export interface AgentSignals {
  /** A follow-up through the queue. */
  readonly queueAdd: FollowUp;
  /** A follow-up past the queue, as a turn of its own. */
  readonly sessionSend: FollowUp;
  /** A notice: read with the next turn, which it does not start. */
  readonly notify: FollowUp;
  /** End the running turn. */
  readonly interrupt: Order;
  /** Cancel the agent and everything beneath it. */
  readonly kill: KillOrder;
  /** End the session after the operation in progress: the agent completes. */
  readonly stop: Order;
  /** The agent has shared a file. */
  readonly upload: UploadNote;
  /** A child tells its parent of a change of phase. */
  readonly childEvent: ChildEvent;
  /** A flight tells its pilot what it has to act upon. */
  readonly flightEvent: FlightEvent;
  /** A child gives back what it does not need of the budget, and asks for more. */
  readonly budgetRequest: BudgetRequest;
  /** A parent tells its child what it may spend. */
  readonly budgetGrant: BudgetGrant;
  /** A parent tells its children that most of a budget is used. */
  readonly budgetNotice: BudgetNotice;
}

/** A file that is shared, for the timeline. */
export interface UploadNote extends Order {
  readonly filename: string;
  readonly url: string;
  readonly bytes: number;
}

/** What a flight tells its pilot. */
export interface FlightEvent {
  readonly id: string;
  readonly text: string;
  /** ISO 8601. */
  readonly at: string;
  /** All agents of the flight are done. */
  readonly last?: true;
}

/** What a child tells its parent. */
export interface ChildEvent {
  readonly id: string;
  readonly slug: string;
  readonly spawn_id: string;
  readonly phase: Phase;
  readonly reason?: string;
  /** Number of the child's last turn: an end that follows a `task-complete` of the same turn is the same end. */
  readonly turn: number;
  /** Who ordered the end, when somebody did: account or agent path. */
  readonly by?: string;
  /** It waits for children of its own. */
  readonly busy_children?: true;
  /** Head of the child's last answer. */
  readonly response?: string;
  readonly branches: readonly string[];
  /** The child and everything beneath it. */
  readonly cost_usd: number;
  /** ISO 8601. */
  readonly at: string;
}

/** Updates are for answers that the workflow must compute. */
export interface AgentUpdates {
  readonly taskCreate: { readonly input: TaskCreateInput; readonly output: Task };
  readonly taskUpdate: { readonly input: TaskUpdateInput; readonly output: Task };
  readonly clearQueue: { readonly input: Order; readonly output: { readonly cleared: number } };
  readonly setStrategy: {
    readonly input: Order & { readonly strategy: DequeueStrategy };
    readonly output: { readonly strategy: DequeueStrategy };
  };
  /** Starts a child of this agent. Idempotent by the spec's `spawn_id`. */
  readonly spawnChild: { readonly input: SpawnChildInput; readonly output: { readonly slug: string } };
  /** Sets the limit of what the agent and everything beneath it may cost. */
  readonly setBudget: { readonly input: Order & { readonly max_cost_usd: number }; readonly output: BudgetView };
  /** The running turn tells what it has used and hears when to tell again; never again when the answer is empty. */
  readonly reportUsage: { readonly input: UsageReport; readonly output: { readonly report_at_usd?: number } };
}

export interface SpawnChildInput {
  readonly spec: AgentSpec;
}

/** Messages of one sender that no turn has taken. */
export interface WaitingBytes {
  /** Account or agent path. */
  readonly from: string;
  readonly bytes: number;
}

export interface AgentQueries {
  readonly status: { readonly input: StatusQueryInput; readonly output: AgentStatus };
  readonly taskList: { readonly input: Record<string, never>; readonly output: readonly Task[] };
  /** What waits for a turn, by sender. */
  readonly waiting: { readonly input: Record<string, never>; readonly output: readonly WaitingBytes[] };
  readonly taskGet: { readonly input: { readonly task_id: string }; readonly output: Task };
}

/** Message names as Temporal sees them, in the order in which their handlers are registered. */
export const AGENT_SIGNALS = namesOf<AgentSignals>({
  queueAdd: true,
  sessionSend: true,
  notify: true,
  interrupt: true,
  kill: true,
  stop: true,
  upload: true,
  childEvent: true,
  flightEvent: true,
  budgetRequest: true,
  budgetGrant: true,
  budgetNotice: true,
});
export const AGENT_UPDATES = namesOf<AgentUpdates>({
  taskCreate: true,
  taskUpdate: true,
  clearQueue: true,
  setStrategy: true,
  spawnChild: true,
  setBudget: true,
  reportUsage: true,
});
export const AGENT_QUERIES = namesOf<AgentQueries>({
  status: true,
  taskList: true,
  taskGet: true,
  waiting: true,
});

/** Search attributes of an agent workflow, all registered by temporal-dev.yaml. Stored in the clear: never a prompt. */
export const SEARCH_ATTRIBUTES = {
  workspace: 'MurmurWorkspace',
  owner: 'MurmurOwner',
  phase: 'MurmurPhase',
  root: 'MurmurRoot',
  repo: 'MurmurRepo',
} as const;

/** Memo of an agent workflow: what `ls` and a status without a worker can show. Set at start. */
export interface AgentMemo {
  readonly spawn_id: string;
  readonly purpose: string;
  readonly machine: string;
  /** Of the machine. Absent from the memos of earlier builds, whose machines are all `local`. */
  readonly provider?: string;
  readonly created_at: string;
}

/**
 * The task queue of a host's worker, for workflows and activities alike: eager activities need both on one queue, and
 * hosts that share a namespace must not take each other's local machines. The id is kept in MURMUR_HOME, since a
 * host's name changes.
 */
export function taskQueueOf(hostId: string): string {
  return `murmur-${hostId}`;
}
