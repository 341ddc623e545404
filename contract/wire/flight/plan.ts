// A flight: a graph of agents, written down in one Markdown file. Loaded by the workflow sandbox: types and constants only.
import type { DequeueStrategy } from '../agent.ts';

/** Bytes of a flight's file: the plan travels whole in one payload of Temporal's, which may have 2 MB. */
export const FLIGHT_BYTES = 131_072;
/** Agents that a flight may name. */
export const NODE_LIMIT = 100;
/** Items of one `each` list. */
export const ITEM_LIMIT = 500;
/** Characters of an item: it is a name or a path, and stands in the state of the flight. */
export const ITEM_LENGTH = 300;
/** Agents of a flight with all items of its lists: what is known of each travels with every continue-as-new. */
export const INSTANCE_LIMIT = 1_000;
/** Characters of a flight's inputs as JSON: they are given to every agent of the flight. */
export const INPUTS_LIMIT = 8_192;

/** What stands for the item in the prompt and the branch of an `each` agent. */
export const ITEM_MARK = '{}';

/** One agent of a flight. */
export interface FlightNode {
  /** Unique in the flight. */
  readonly slug: string;
  readonly prompt: string;
  readonly model?: string;
  /** Slugs of the agents that must be done before it starts. */
  readonly needs: readonly string[];
  /** The agent that it is a follow-up to: same machine, branch and conversation. */
  readonly continues?: string;
  /** Done only once a person has approved it. */
  readonly gate?: 'approve';
  /** Working branch; for an `each` agent with `{}` in it. */
  readonly branch?: string;
  /** What the pilot is asked to list: one agent runs for each item. */
  readonly each?: string;
  readonly out?: string;
}

/** What the file says about the flight as a whole. */
export interface FlightSettings {
  readonly workspace?: string;
  /** Agents at work at once; absent: no limit. */
  readonly max_concurrent?: number;
  /** Model of the pilot, and of agents that name none. */
  readonly model?: string;
  /** Result that is asked of agents that name none; of the pilot in a flight without agents. */
  readonly out?: string;
  /** Of the pilot. */
  readonly dequeue_strategy?: DequeueStrategy;
}

/** A flight as its file says it, checked. */
export interface FlightPlan {
  readonly name: string;
  readonly notes: string;
  readonly settings: FlightSettings;
  /** In the order of the file. */
  readonly nodes: readonly FlightNode[];
}

/** Slugs of everything that must be done before the node can start. */
export function upstreamOf(node: Pick<FlightNode, 'needs' | 'continues'>): readonly string[] {
  return node.continues === undefined ? node.needs : [node.continues];
}
