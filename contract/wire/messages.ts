// Names and payloads of the messages to an agent workflow. Loaded by the workflow sandbox.
import type { AgentSpec, AgentStatus, DequeueStrategy, StatusQueryInput } from './agent.ts';
import type { BudgetGrant, BudgetNotice, BudgetRequest, BudgetView, UsageReport } from './budget.ts';
import { namesOf } from './names.ts';
import type { Phase } from './phases.ts';
import type { Task, TaskCreateInput, TaskUpdateInput } from './tasks.ts';
import type { FollowUp } from './turns.ts';

/** Workflow type of an agent. */
export const AGENT_WORKFLOW = 'agent';

/**
 * Sender and id of a message. The id makes a repetition harmless. Both can be absent if an operator signals by hand.
 */
export interface Order {
  readonly id: string;
  readonly from: string;
}

export interface KillOrder extends Order {
  readonly reason?: string;
  /** The parent is killed as well and gets the receipt: the agent does not signal its end to it. */
  readonly with_parent?: true;
  /** The spawn that is meant: a later life of the agent's id goes on. Absent in what a person orders. */
  readonly spawn_id?: string;
  /** The sender also ends the machine. The agent completes at once, and its result has the pending clean-up. */
  readonly leave_machine?: true;
}

/** Signals, for messages that must not be lost: durable once acknowledged, without a running worker. */
export interface AgentSignals {
  /** A follow-up through the queue. */
  readonly queueAdd: FollowUp;
  /** A follow-up that bypasses the queue and gets its own turn. */
  readonly sessionSend: FollowUp;
  /** A notice: delivered with the next turn, without starting one. */
  readonly notify: FollowUp;
  /** Ends the running turn. */
  readonly interrupt: Order;
  /** Cancels the agent and its descendants. */
  readonly kill: KillOrder;
  /** Ends the session after the current operation: the agent completes. */
  readonly stop: Order;
  /** The agent has shared a file. */
  readonly upload: UploadNote;
  /** A child reports a change of phase to its parent. */
  readonly childEvent: ChildEvent;
  /** A flight reports an event to its pilot. */
  readonly flightEvent: FlightEvent;
  /** A child returns unused money to its parent and asks for more. */
  readonly budgetRequest: BudgetRequest;
  /** A parent sends its child the allowance. */
  readonly budgetGrant: BudgetGrant;
  /** A parent notifies its children that most of a budget is used. */
  readonly budgetNotice: BudgetNotice;
}

/** A shared file, for the timeline. */
export interface UploadNote extends Order {
  readonly filename: string;
  readonly url: string;
  readonly bytes: number;
}

/** An event from a flight to its pilot. */
export interface FlightEvent {
  readonly id: string;
  readonly text: string;
  /** ISO 8601. */
  readonly at: string;
  /** Set if all agents of the flight are done. */
  readonly last?: true;
}

/** An event from a child to its parent. */
export interface ChildEvent {
  readonly id: string;
  readonly slug: string;
  readonly spawn_id: string;
  readonly phase: Phase;
  readonly reason?: string;
  /** Number of the child's last turn. A `task-complete` and a later end with the same number wake the parent once. */
  readonly turn: number;
  /** Account or agent path that requested the end, if one did. */
  readonly by?: string;
  /** Set if it waits for its own children. */
  readonly busy_children?: true;
  /** Start of the child's last answer. */
  readonly response?: string;
  readonly branches: readonly string[];
  /** The child and its descendants. */
  readonly cost_usd: number;
  /** ISO 8601. */
  readonly at: string;
}

/** Updates, for answers that the workflow must compute. */
export interface AgentUpdates {
  readonly taskCreate: { readonly input: TaskCreateInput; readonly output: Task };
  readonly taskUpdate: { readonly input: TaskUpdateInput; readonly output: Task };
  readonly clearQueue: { readonly input: Order; readonly output: { readonly cleared: number } };
  readonly setStrategy: {
    readonly input: Order & { readonly strategy: DequeueStrategy };
    readonly output: { readonly strategy: DequeueStrategy };
  };
  /** Starts a child of the agent. Idempotent by the spec's `spawn_id`. */
  readonly spawnChild: { readonly input: SpawnChildInput; readonly output: { readonly slug: string } };
  /** Sets the cost limit of the agent and its descendants. */
  readonly setBudget: { readonly input: Order & { readonly max_cost_usd: number }; readonly output: BudgetView };
  /** Reports usage so far. Returns the next reporting threshold, or nothing to stop reporting. */
  readonly reportUsage: { readonly input: UsageReport; readonly output: { readonly report_at_usd?: number } };
}

export interface SpawnChildInput {
  readonly spec: AgentSpec;
}

/** Size of one sender's messages that no turn has taken yet. */
export interface WaitingBytes {
  /** Account or agent path. */
  readonly from: string;
  readonly bytes: number;
}

export interface AgentQueries {
  readonly status: { readonly input: StatusQueryInput; readonly output: AgentStatus };
  readonly taskList: { readonly input: Record<string, never>; readonly output: readonly Task[] };
  /** Waiting messages by sender. */
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

/** Search attributes of an agent workflow. temporal-dev.yaml registers them. Stored in the clear: never a prompt. */
export const SEARCH_ATTRIBUTES = {
  workspace: 'MurmurWorkspace',
  owner: 'MurmurOwner',
  phase: 'MurmurPhase',
  root: 'MurmurRoot',
  repo: 'MurmurRepo',
} as const;

/** Memo of an agent workflow, set at start. `ls`, and `status` without a worker, show it. */
export interface AgentMemo {
  readonly spawn_id: string;
  readonly purpose: string;
  readonly machine: string;
  /** Provider of the machine. Absent in earlier builds, whose machines are all `local`. */
  readonly provider?: string;
  readonly created_at: string;
}

/**
 * The task queue of a host's worker, for workflows and activities: eager activities need both on one queue. Hosts that
 * share a namespace must not run activities for each other's local machines. The id is stored in MURMUR_HOME, because a
 * host's name can change.
 */
export function taskQueueOf(hostId: string): string {
  return `murmur-${hostId}`;
}
