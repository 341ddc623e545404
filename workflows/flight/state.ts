// The state of a flight. Pure: contract/wire only. Plain JSON, because continue-as-new carries it over to the next run.
import type { FlightNode, FlightPlan } from '../../contract/wire/flight/plan.ts';
import { upstreamOf } from '../../contract/wire/flight/plan.ts';
import type { InstancePhase, NodeStateName } from '../../contract/wire/flight/view.ts';

/** One piece of a node's work. A node has one instance, or one per item of its list. */
export interface Instance {
  phase: InstancePhase;
  /** Slug of the agent. For a node that continues another, the slug of that node's agent once it is known. */
  agent: string | undefined;
  readonly item?: string;
  attempt: number;
  /** Number of turns that the agent had taken when it received this work. */
  since_turn: number;
  started_at: string | undefined;
  reason: string | undefined;
  /** The start of the last answer. */
  response: string | undefined;
}

export interface NodeState {
  /** Undefined until the number of instances is known. */
  instances: Instance[] | undefined;
  /** When the pilot was last asked for the items, and how often. */
  asked: { readonly at: string; readonly times: number } | undefined;
  approved_by: string | undefined;
}

/** An agent of the flight, according to its own events. */
export interface FlightAgent {
  readonly slug: string;
  readonly spawn_id: string;
  alive: boolean;
  /** Number of its last reported turn. */
  turn: number;
  branches: readonly string[];
  /** Whether the flight has stopped it, because nothing needs it any more. */
  stopped: boolean;
}

/** A message to the pilot. */
export interface PilotMessage {
  readonly id: string;
  readonly text: string;
  /** Set on the last message: the graph is done. */
  readonly last?: true;
}

export interface FlightState {
  nodes: Record<string, NodeState>;
  agents: FlightAgent[];
  to_pilot: PilotMessage[];
  /** Number of messages to the pilot in the flight's life; makes their ids. */
  told: number;
  finished_at: string | undefined;
  /** Whether the pilot has ended or accepts no more agents. */
  ended: boolean;
  /** Signals and updates of this run only, for continue-as-new. */
  messages: number;
}

/** The state of a flight that was just started. */
export function initialState(plan: FlightPlan): FlightState {
  const node: NodeState = { instances: undefined, asked: undefined, approved_by: undefined };
  return {
    nodes: Object.fromEntries(plan.nodes.map(({ slug }) => [slug, { ...node }])),
    agents: [],
    to_pilot: [],
    told: 0,
    finished_at: undefined,
    ended: false,
    messages: 0,
  };
}

/** The node's state. Throws a plain Error for a slug that is not in the plan, which is a defect. */
export function stateOf(state: FlightState, slug: string): NodeState {
  const node = state.nodes[slug];
  if (node === undefined) throw new Error(`the flight has no node ${slug}`);
  return node;
}

/** The node with this slug. Throws a plain Error if the plan does not have it. */
export function nodeOf(plan: FlightPlan, slug: string): FlightNode {
  const node = plan.nodes.find((each) => each.slug === slug);
  if (node === undefined) throw new Error(`the flight has no node ${slug}`);
  return node;
}

/** Whether an agent works on the instance, which counts towards `max_concurrent`. */
export function isActive({ phase }: Instance): boolean {
  return phase === 'starting' || phase === 'running';
}

/** The state of each node, in the order of the file. */
export function nodeStates(plan: FlightPlan, state: FlightState): ReadonlyMap<string, NodeStateName> {
  const known = new Map<string, NodeStateName>();
  // Each node is evaluated once: a graph of a hundred nodes can have too many paths to follow all of them.
  const find = (slug: string): NodeStateName => {
    const found = known.get(slug) ?? ownState(nodeOf(plan, slug), stateOf(state, slug), find);
    known.set(slug, found);
    return found;
  };
  return new Map(plan.nodes.map(({ slug }) => [slug, find(slug)]));
}

function ownState(
  node: FlightNode,
  { instances, approved_by: approved }: NodeState,
  find: (slug: string) => NodeStateName,
): NodeStateName {
  if (instances !== undefined) {
    if (instances.some(isActive)) return 'running';
    if (instances.some(({ phase }) => phase === 'failed')) return 'failed';
    if (instances.every(({ phase }) => phase === 'done')) {
      return node.gate !== undefined && approved === undefined ? 'needs-approval' : 'done';
    }
  }
  const upstream = upstreamOf(node).map(find);
  if (upstream.some((each) => each === 'failed' || each === 'blocked')) return 'blocked';
  if (!upstream.every((each) => each === 'done')) return 'pending';
  return instances === undefined && node.each !== undefined ? 'needs-items' : 'ready';
}

/** The node that continues this one, if there is one. */
export function continuationOf(plan: FlightPlan, slug: string): FlightNode | undefined {
  return plan.nodes.find((node) => node.continues === slug);
}

/** The nodes that share an agent with this one, beginning with the node that starts the agent. */
export function chainOf(plan: FlightPlan, slug: string): readonly FlightNode[] {
  let head = nodeOf(plan, slug);
  while (head.continues !== undefined) head = nodeOf(plan, head.continues);
  const chain = [head];
  for (let next = continuationOf(plan, head.slug); next !== undefined; next = continuationOf(plan, next.slug)) {
    chain.push(next);
  }
  return chain;
}

/** Whether an agent of the node must stay alive after its work, for a follow-up or an approval. */
export function staysAlive(plan: FlightPlan, slug: string): boolean {
  const chain = chainOf(plan, slug);
  return chain.length > 1 || chain.some(({ gate }) => gate !== undefined);
}
