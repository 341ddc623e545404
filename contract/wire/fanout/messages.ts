// What is sent to a fan-out workflow, what it answers, and the activities that it calls. Loaded by the workflow
// sandbox.
import type { Order } from '../messages.ts';
import { namesOf } from '../names.ts';

/** Workflow type of a fan-out. */
export const FANOUT_WORKFLOW = 'fanout';

/** What a fan-out workflow is started with. The rest lies in the object store, as a payload has 2 MB at most. */
export interface FanoutInput {
  /** Object store key of the plan. */
  readonly plan: string;
  readonly count: number;
  readonly max_concurrent: number;
  /** Lower limits than the defaults, for tests of continue-as-new. */
  readonly limits?: { readonly continue_after_steps?: number };
}

/** Signals: durable once acknowledged, and harmless when they come twice. */
export interface FanoutSignals {
  /** An agent has come to rest, or has ended, and leaves its slot to the next one. */
  readonly released: { readonly index: number };
  /** These shall not be started. Nothing happens to those that have been. */
  readonly drop: Order & { readonly indices: readonly number[] };
  /** None shall be started any more. */
  readonly dropAll: Order;
}

/** Signal names as Temporal sees them, in the order in which their handlers are registered. */
export const FANOUT_SIGNALS = namesOf<FanoutSignals>({ released: true, drop: true, dropAll: true });

/** Name of the one query. */
export const FANOUT_QUERY = 'progress';

/** How far it is. Agents are started in the order of the list. */
export interface FanoutProgress {
  /** Index of the first that has had no turn yet; those before have been started, unless they are among the others. */
  readonly next: number;
  /** Those that are being started. */
  readonly starting: readonly number[];
  /** Those that were killed before they were started. */
  readonly dropped: readonly number[];
  /** Those that could not be started. */
  readonly failed: readonly number[];
}

/** The result of a fan-out workflow. */
export interface FanoutResult {
  readonly started: number;
  readonly dropped: number;
  readonly failed: number;
}

/** Agents by their place in the plan's list. */
interface Chosen {
  readonly plan: string;
  readonly indices: readonly number[];
}

export type StartPlannedInput = Chosen;

/** What came of an attempt to start one. */
export type StartOutcome =
  | { readonly index: number; readonly result: 'started' }
  /** The tree has grown to its limit: to be tried again. */
  | { readonly index: number; readonly result: 'later' }
  | { readonly index: number; readonly result: 'failed'; readonly message: string }
  /** Its parent has ended, and so will every other one fail. */
  | { readonly index: number; readonly result: 'orphaned' };

export interface DropPlannedInput extends Chosen {
  /** Account or agent path that ordered it. */
  readonly by: string;
  readonly reason: string;
}

/** Node side of the fan-out workflow. All are idempotent. */
export interface FanoutActivities {
  /** Starts agents as their caller would have: token, secrets, long texts, workflow. */
  startPlanned(input: StartPlannedInput): Promise<readonly StartOutcome[]>;
  /** Writes the ends of agents that never were started: record and last event. */
  dropPlanned(input: DropPlannedInput): Promise<void>;
  /** Which of these rest or have ended, by what Temporal lists: for those that could not say so themselves. */
  restingPlanned(input: Chosen): Promise<readonly number[]>;
  /** Removes what was kept for the fan-out. */
  closeFanout(input: { readonly plan: string }): Promise<void>;
}
