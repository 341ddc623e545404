// The plan of a flight: a graph of agents from a Markdown file. Loaded by the workflow sandbox: types and constants.
import type { DequeueStrategy } from '../agent.ts';

/** Bytes of a flight's file. The whole plan is one Temporal payload, which may have 2 MB. */
export const FLIGHT_BYTES = 131_072;
/** Agents in a flight's file. */
export const NODE_LIMIT = 100;
/** Items of one `each` list. */
export const ITEM_LIMIT = 500;
/** Characters of an item: a name or a path, which the flight's state contains. */
export const ITEM_LENGTH = 300;
/** Agents of a flight, counting one per item: each continue-as-new carries the state of all. */
export const INSTANCE_LIMIT = 1_000;
/** Characters of a flight's inputs as JSON. Every agent of the flight gets them. */
export const INPUTS_LIMIT = 8_192;

/** Placeholder for the item in the prompt and the branch of an `each` agent. */
export const ITEM_MARK = '{}';

/** One agent of a flight. */
export interface FlightNode {
  /** Unique in the flight. */
  readonly slug: string;
  readonly prompt: string;
  readonly model?: string;
  /** Slugs of agents that must be done before it starts. */
  readonly needs: readonly string[];
  /** Slug of the agent that it continues as a follow-up: same machine, branch and conversation. */
  readonly continues?: string;
  /** Set if it is only done after a person has approved it. */
  readonly gate?: 'approve';
  /** Working branch; contains `{}` for an `each` agent. */
  readonly branch?: string;
  /** Description of the list that the pilot provides: one agent runs for each item. */
  readonly each?: string;
  readonly out?: string;
}

/** The flight's settings, from the frontmatter. */
export interface FlightSettings {
  readonly workspace?: string;
  /** Agents at work at once; absent: no limit. */
  readonly max_concurrent?: number;
  /** Model of the pilot, and the default of the agents. */
  readonly model?: string;
  /** Default result of the agents; the pilot's result in a flight without agents. */
  readonly out?: string;
  /** Dequeue strategy of the pilot. */
  readonly dequeue_strategy?: DequeueStrategy;
}

/** A flight's file, parsed and checked. */
export interface FlightPlan {
  readonly name: string;
  readonly notes: string;
  readonly settings: FlightSettings;
  /** In the order of the file. */
  readonly nodes: readonly FlightNode[];
}

/** Slugs of the agents that must be done before the node can start. */
export function upstreamOf(node: Pick<FlightNode, 'needs' | 'continues'>): readonly string[] {
  return node.continues === undefined ? node.needs : [node.continues];
}
