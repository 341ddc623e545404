// The state of a flight: what each node has come to. Pure: contract/wire only. Plain JSON, because it is also what one
// run hands to the next when the workflow continues as new.
import type { FlightNode, FlightPlan } from '../../contract/wire/flight/plan.ts';
import { upstreamOf } from '../../contract/wire/flight/plan.ts';
import type { InstancePhase, NodeStateName } from '../../contract/wire/flight/view.ts';

/** The work of a node: one, or one for each item of its list. */
export interface Instance {
  phase: InstancePhase;
  /** Slug of the agent; of the one that it continues, once that is known. */
  agent: string | undefined;
  readonly item?: string;
  attempt: number;
  /** Turns that the agent had when it was given this work. */
  since_turn: number;
  started_at: string | undefined;
  reason: string | undefined;
  /** Head of the last answer. */
  response: string | undefined;
}

export interface NodeState {
  /** Undefined until it is known how many there are. */
  instances: Instance[] | undefined;
  /** When the pilot was last asked for the list, and how often. */
  asked: { readonly at: string; readonly times: number } | undefined;
  approved_by: string | undefined;
}

/** An agent of the flight, as its own messages tell. */
export interface FlightAgent {
  readonly slug: string;
  readonly spawn_id: string;
  alive: boolean;
  /** Its last turn that the flight has heard of. */
  turn: number;
  branches: readonly string[];
  /** It has been told to end: nothing of the flight needs it any more. */
  stopped: boolean;
}

/** What the pilot is told, in order. */
export interface PilotMessage {
  readonly id: string;
  readonly text: string;
  /** The last one: the graph is done. */
  readonly last?: true;
}

export interface FlightState {
  nodes: Record<string, NodeState>;
  agents: FlightAgent[];
  to_pilot: PilotMessage[];
  /** Messages to the pilot in the flight's life. */
  told: number;
  finished_at: string | undefined;
  /** The pilot has ended, or takes no more agents. */
  ended: boolean;
  /** Signals and updates of this run alone, for continue-as-new. */
  messages: number;
}

/** The state of a flight that has just been started. */
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

/** The node's state. Throws a plain Error for a slug that the plan does not have: that is a defect. */
export function stateOf(state: FlightState, slug: string): NodeState {
  const node = state.nodes[slug];
  if (node === undefined) throw new Error(`the flight has no node ${slug}`);
  return node;
}

/** The node by its slug; throws a plain Error. */
export function nodeOf(plan: FlightPlan, slug: string): FlightNode {
  const node = plan.nodes.find((each) => each.slug === slug);
  if (node === undefined) throw new Error(`the flight has no node ${slug}`);
  return node;
}

/** Whether the instance holds a slot. */
export function isActive({ phase }: Instance): boolean {
  return phase === 'starting' || phase === 'running';
}

/** What each node has come to, in the order of the file. */
export function nodeStates(plan: FlightPlan, state: FlightState): ReadonlyMap<string, NodeStateName> {
  const known = new Map<string, NodeStateName>();
  // Each is worked out once: a graph of a hundred nodes can have more paths than there is time for.
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

/** The nodes that share an agent with this one, from the one that starts it. */
export function chainOf(plan: FlightPlan, slug: string): readonly FlightNode[] {
  let head = nodeOf(plan, slug);
  while (head.continues !== undefined) head = nodeOf(plan, head.continues);
  const chain = [head];
  for (let next = continuationOf(plan, head.slug); next !== undefined; next = continuationOf(plan, next.slug)) {
    chain.push(next);
  }
  return chain;
}

/** Whether an agent of the node must stay reachable once it has done its work. */
export function staysAlive(plan: FlightPlan, slug: string): boolean {
  const chain = chainOf(plan, slug);
  return chain.length > 1 || chain.some(({ gate }) => gate !== undefined);
}
