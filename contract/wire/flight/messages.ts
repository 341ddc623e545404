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

/** `f/<workspace>/u/<account>/<pilot's path>`: no agent's id, since those begin with `w/`. */
export function flightIdOf(pilot: AgentIdentity): string {
  return workflowIdOf(pilot).replace(/^w\//, 'f/');
}

/** The inverse: the workflow id of the pilot, by that of its flight. */
export function pilotIdOf(flightId: string): string {
  return flightId.replace(/^f\//, 'w/');
}

/** What a flight's workflow is started with, by its pilot's. */
export interface FlightInput {
  /** The pilot's spec, without its prompt. */
  readonly pilot: AgentSpec;
  /** Lower limit than the default, for tests of continue-as-new. */
  readonly continue_after_signals?: number;
}

/** Signals carry what must not be lost. */
export interface FlightSignals {
  /** An agent of the flight tells what it tells its parent too. */
  readonly childEvent: ChildEvent;
  /** The pilot has ended, and everything beneath it with it. */
  readonly pilotEnded: Order;
}

/** Updates are for answers that the flight must compute. All are idempotent. */
export interface FlightUpdates {
  /** Throws NOT_FOUND and FAILED_PRECONDITION. */
  readonly approve: { readonly input: NodeOrder; readonly output: { readonly approved_by: string } };
  /** Agents that take the place of failed ones. Throws NOT_FOUND and FAILED_PRECONDITION. */
  readonly rerun: { readonly input: NodeOrder; readonly output: { readonly nodes: readonly string[] } };
  /** The list of an `each` node. Throws NOT_FOUND, INVALID_ARGUMENT, FAILED_PRECONDITION. */
  readonly items: {
    readonly input: NodeOrder & { readonly items: readonly string[] };
    readonly output: { readonly count: number };
  };
}

/** An order that concerns one node. */
export type NodeOrder = Order & { readonly node: string };

/** Name of the one query; it answers a `FlightView`. */
export const FLIGHT_QUERY = 'flight';

/** Message names as Temporal sees them, in the order in which their handlers are registered. */
export const FLIGHT_SIGNALS = namesOf<FlightSignals>({ childEvent: true, pilotEnded: true });
export const FLIGHT_UPDATES = namesOf<FlightUpdates>({ approve: true, rerun: true, items: true });

/** What is kept in the object store for a flight until it starts. */
export interface StoredFlight {
  readonly plan: FlightPlan;
  /** JSON text; absent without inputs. */
  readonly inputs?: string;
  /** Living agents that the tree of the pilot may have. */
  readonly tree_limit: number;
}

/** Object store key of a flight's plan. */
export function flightKey(pilotId: string, spawnId: string): string {
  return `agents/${pilotId}/flights/${spawnId}.json`;
}

/** A new agent of a flight. The ids are the flight's, so that starting it again changes nothing. */
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
  /** Living agents that the tree may have: a full one is waited for. */
  readonly tree_limit: number;
}

/** Node side of the flight workflow. */
export interface FlightActivities {
  /** Fails with NOT_FOUND when it is not there. */
  readFlight(input: { readonly key: string }): Promise<StoredFlight>;
  /**
   * Starts an agent beneath the pilot, as a spawn would: token, secrets, long texts, and the pilot's own registry. Fails
   * with FAILED_PRECONDITION when the pilot has ended, ALREADY_EXISTS for a slug that is in use.
   */
  startNode(input: StartNodeInput): Promise<void>;
  /** A long text as it may travel through Temporal. The name makes storing again harmless. */
  storeNodeText(input: { readonly agent: string; readonly name: string; readonly text: string }): Promise<StoredText>;
}
