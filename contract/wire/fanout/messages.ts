// Messages to a fan-out workflow, its result, and its activities. Loaded by the workflow sandbox.
import type { Order } from '../messages.ts';
import { namesOf } from '../names.ts';

/** Workflow type of a fan-out. */
export const FANOUT_WORKFLOW = 'fanout';

/** Input of a fan-out workflow. The plan is in the object store, because a payload has at most 2 MB. */
export interface FanoutInput {
  /** Object store key of the plan. */
  readonly plan: string;
  readonly count: number;
  readonly max_concurrent: number;
  /** Lower limits than the defaults, for tests of continue-as-new. */
  readonly limits?: { readonly continue_after_steps?: number };
}

/** Signals: durable once acknowledged, and idempotent. */
export interface FanoutSignals {
  /** An agent is idle or has ended, and releases its slot. */
  readonly released: { readonly index: number };
  /** These agents must not be started. Agents that were started already are not affected. */
  readonly drop: Order & { readonly indices: readonly number[] };
  /** No more agents must be started. */
  readonly dropAll: Order;
}

/** Signal names as Temporal sees them, in the order in which their handlers are registered. */
export const FANOUT_SIGNALS = namesOf<FanoutSignals>({ released: true, drop: true, dropAll: true });

/** Name of the one query. */
export const FANOUT_QUERY = 'progress';

/** Progress of a fan-out. Agents are started in the order of the list. */
export interface FanoutProgress {
  /** Index of the next agent to start. All before it have been started, except those in the lists below. */
  readonly next: number;
  /** Agents that are being started. */
  readonly starting: readonly number[];
  /** Agents that were killed before they were started. */
  readonly dropped: readonly number[];
  /** Agents that could not be started. */
  readonly failed: readonly number[];
}

/** The result of a fan-out workflow. */
export interface FanoutResult {
  readonly started: number;
  readonly dropped: number;
  readonly failed: number;
}

/** Agents by their index in the plan's list. */
interface Chosen {
  readonly plan: string;
  readonly indices: readonly number[];
}

export type StartPlannedInput = Chosen;

/** Result of an attempt to start one agent. */
export type StartOutcome =
  | { readonly index: number; readonly result: 'started' }
  /** The tree has reached its limit: try again later. */
  | { readonly index: number; readonly result: 'later' }
  | { readonly index: number; readonly result: 'failed'; readonly message: string }
  /** Its parent has ended, so all others would fail as well. */
  | { readonly index: number; readonly result: 'orphaned' };

export interface DropPlannedInput extends Chosen {
  /** Account or agent path that requested it. */
  readonly by: string;
  readonly reason: string;
}

/** Node side of the fan-out workflow. All activities are idempotent. */
export interface FanoutActivities {
  /** Starts agents, like a spawn: token, secrets, long texts, workflow. */
  startPlanned(input: StartPlannedInput): Promise<readonly StartOutcome[]>;
  /** Writes the record and the last event of agents that were never started. */
  dropPlanned(input: DropPlannedInput): Promise<void>;
  /** Which agents are idle or have ended, according to Temporal, for agents whose `released` signal was lost. */
  restingPlanned(input: Chosen): Promise<readonly number[]>;
  /** Deletes the plan and the secrets of the fan-out. */
  closeFanout(input: { readonly plan: string }): Promise<void>;
}
