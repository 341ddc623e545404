// What is sent to a flight's workflow, and the activities that it calls. Loaded by the workflow sandbox.
import type { AgentSpec, SessionRef } from '../agent.ts';
import { workflowIdOf } from '../identity.ts';
import type { AgentIdentity } from '../identity.ts';
import type { ChildEvent, Order } from '../messages.ts';
import { namesOf } from '../names.ts';
import type { StoredText } from '../turns.ts';
import type { FlightPlan } from './plan.ts';

/** Workflow type of a flight. */
export const FLIGHT_WORKFLOW = 'flight';

/** `f/<workspace>/u/<account>/<pilot's path>`. It cannot be an agent's id, which begins with `w/`. */
export function flightIdOf(pilot: AgentIdentity): string {
  return workflowIdOf(pilot).replace(/^w\//, 'f/');
}

/** The inverse: the pilot's workflow id for its flight's. */
export function pilotIdOf(flightId: string): string {
  return flightId.replace(/^f\//, 'w/');
}

/** Input of a flight's workflow, which the pilot's workflow starts. */
export interface FlightInput {
  /** The pilot's spec, without its prompt. */
  readonly pilot: AgentSpec;
  /** Lower limit than the default, for tests of continue-as-new. */
  readonly continue_after_signals?: number;
}

/** Signals, for messages that must not be lost. */
export interface FlightSignals {
  /** An agent of the flight sends the same events as to its parent. */
  readonly childEvent: ChildEvent;
  /** The pilot and its descendants have ended. */
  readonly pilotEnded: Order;
}

/** Updates, for answers that the flight must compute. All are idempotent. */
export interface FlightUpdates {
  /** Throws NOT_FOUND and FAILED_PRECONDITION. */
  readonly approve: { readonly input: NodeOrder; readonly output: { readonly approved_by: string } };
  /** Replaces failed agents by new ones. Throws NOT_FOUND and FAILED_PRECONDITION. */
  readonly rerun: { readonly input: NodeOrder; readonly output: { readonly nodes: readonly string[] } };
  /** Sets the list of an `each` node. Throws NOT_FOUND, INVALID_ARGUMENT and FAILED_PRECONDITION. */
  readonly items: {
    readonly input: NodeOrder & { readonly items: readonly string[] };
    readonly output: { readonly count: number };
  };
}

/** A message about one node. */
export type NodeOrder = Order & { readonly node: string };

/** Name of the only query. It returns a `FlightView`. */
export const FLIGHT_QUERY = 'flight';

/** Message names as Temporal sees them, in the order in which their handlers are registered. */
export const FLIGHT_SIGNALS = namesOf<FlightSignals>({ childEvent: true, pilotEnded: true });
export const FLIGHT_UPDATES = namesOf<FlightUpdates>({ approve: true, rerun: true, items: true });

/** A flight in the object store, until it starts. */
export interface StoredFlight {
  readonly plan: FlightPlan;
  /** JSON text; absent without inputs. */
  readonly inputs?: string;
  /** Limit of living agents in the pilot's tree. */
  readonly tree_limit: number;
}

/** Object store key of a flight's plan. */
export function flightKey(pilotId: string, spawnId: string): string {
  return `agents/${pilotId}/flights/${spawnId}.json`;
}

/** A new agent of a flight. The flight chooses the ids, so that a repeated start has no effect. */
export interface StartNodeInput {
  /** The pilot. */
  readonly session?: SessionRef;
  /** In the place of `session`: the spec of a pilot that an earlier build has started. */
  readonly pilot?: AgentSpec;
  readonly slug: string;
  readonly spawn_id: string;
  readonly session_id: string;
  readonly created_at: string;
  readonly prompt: string;
  readonly purpose: string;
  readonly model?: string;
  readonly branch?: string;
  readonly out?: string;
  readonly on_idle: AgentSpec['on_idle'];
  /** Limit of living agents in the tree. The start waits while the tree is full. */
  readonly tree_limit: number;
}

/** Node side of the flight workflow. */
export interface FlightActivities {
  /** Fails with NOT_FOUND if the object is missing. */
  readFlight(input: { readonly key: string }): Promise<StoredFlight>;
  /**
   * Starts an agent beneath the pilot, like a spawn: token, secrets, long texts, and the pilot's registry. Fails with
   * FAILED_PRECONDITION if the pilot has ended, and with ALREADY_EXISTS if the slug is in use.
   */
  startNode(input: StartNodeInput): Promise<void>;
  /** Stores a long text and returns its reference. The name makes a repetition harmless. */
  storeNodeText(input: { readonly agent: string; readonly name: string; readonly text: string }): Promise<StoredText>;
}
