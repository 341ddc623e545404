// The state of a flight, as its query returns it. Loaded by the workflow sandbox: types and constants only.

/**
 * `pending` waits for other nodes, `blocked` for failed ones, `needs-items` for the pilot's list, `ready` for a slot,
 * `needs-approval` for a person.
 */
export const NODE_STATES = [
  'pending',
  'blocked',
  'needs-items',
  'ready',
  'running',
  'needs-approval',
  'done',
  'failed',
] as const;
export type NodeStateName = (typeof NODE_STATES)[number];

export const INSTANCE_PHASES = ['waiting', 'starting', 'running', 'done', 'failed'] as const;
export type InstancePhase = (typeof INSTANCE_PHASES)[number];

/** `waiting`: no agent runs until somebody approves, lists or reruns. `ended`: it ended with its pilot. */
export const FLIGHT_STATES = ['running', 'waiting', 'done', 'ended'] as const;
export type FlightStateName = (typeof FLIGHT_STATES)[number];

/** One agent of a node. */
export interface InstanceView {
  /** Slug of the agent beneath the pilot. Absent until it is started. */
  readonly agent?: string;
  readonly item?: string;
  readonly state: InstancePhase;
  readonly attempt: number;
  readonly reason?: string;
  /** Start of its last answer. */
  readonly response?: string;
  readonly branches?: readonly string[];
}

export interface NodeView {
  readonly slug: string;
  readonly state: NodeStateName;
  readonly needs?: readonly string[];
  readonly continues?: string;
  readonly gate?: string;
  readonly each?: string;
  readonly approved_by?: string;
  readonly agents: readonly InstanceView[];
}

export interface FlightView {
  readonly name: string;
  /** Absolute path. */
  readonly pilot: string;
  readonly state: FlightStateName;
  readonly max_concurrent?: number;
  /** In the order of the file. */
  readonly nodes: readonly NodeView[];
  readonly finished_at?: string;
}
