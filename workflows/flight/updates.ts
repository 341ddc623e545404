// Updates from people and the pilot: approvals, lists, reruns. Pure: contract/wire only. Each has a check that changes
// nothing and throws the MurmurError of a refusal. Repeating an accepted update returns the same answer.
import { MurmurError } from '../../contract/wire/errors.ts';
import { INSTANCE_LIMIT, ITEM_LENGTH, ITEM_LIMIT } from '../../contract/wire/flight/plan.ts';
import type { FlightNode, FlightPlan } from '../../contract/wire/flight/plan.ts';
import { nearestName } from '../../contract/wire/nearest.ts';
import { chainOf, nodeStates, stateOf } from './state.ts';
import type { FlightState, Instance, NodeState } from './state.ts';
import { newInstance } from './step.ts';

/** Lets a node pass its gate. */
export function approve(
  plan: FlightPlan,
  state: FlightState,
  slug: string,
  by: string,
): { readonly approved_by: string } {
  const own = checkApproval(plan, state, slug);
  own.approved_by ??= by;
  return { approved_by: own.approved_by };
}

/** Returns the state of a node that waits for approval or was approved. Throws FAILED_PRECONDITION for any other. */
export function checkApproval(plan: FlightPlan, state: FlightState, slug: string): NodeState {
  const node = requireNode(plan, slug);
  const own = stateOf(state, node.slug);
  if (node.gate === undefined) {
    throw new MurmurError('FAILED_PRECONDITION', `agent ${JSON.stringify(slug)} of the flight has no gate`, {
      hint: 'write `> gate: approve` under its heading',
    });
  }
  if (own.approved_by !== undefined) return own;
  requireState(plan, state, node, 'needs-approval', 'nothing waits for an approval');
  requireOpen(state);
  return own;
}

/** Sets the items of an `each` node. */
export function takeItems(
  plan: FlightPlan,
  state: FlightState,
  slug: string,
  items: readonly string[],
): { readonly count: number } {
  const { own, distinct } = checkItems(plan, state, slug, items);
  own.instances ??= distinct.map((item) => newInstance(item));
  return { count: distinct.length };
}

/** Returns the state of a node that waits for its items, or has these already, and the items without duplicates. */
export function checkItems(
  plan: FlightPlan,
  state: FlightState,
  slug: string,
  items: readonly string[],
): { readonly own: NodeState; readonly distinct: readonly string[] } {
  const node = requireNode(plan, slug);
  if (!Array.isArray(items)) throw new MurmurError('INVALID_ARGUMENT', '`items` is not a list');
  const distinct = [...new Set(items.map((item) => (typeof item === 'string' ? item.trim() : '')))];
  const problem = itemsProblem(distinct) ?? spaceProblem(plan, state, distinct);
  if (problem !== undefined) {
    throw new MurmurError('INVALID_ARGUMENT', problem, { details: { field: 'items' } });
  }
  const own = stateOf(state, node.slug);
  const known = own.instances?.map(({ item }) => item);
  if (known !== undefined && node.each !== undefined && known.join('\n') === distinct.join('\n')) {
    return { own, distinct };
  }
  requireState(plan, state, node, 'needs-items', 'no list is waited for');
  requireOpen(state);
  return { own, distinct };
}

function itemsProblem(items: readonly string[]): string | undefined {
  if (items.length > ITEM_LIMIT) return `${String(items.length)} items: at most ${String(ITEM_LIMIT)} are allowed`;
  const bad = items.findIndex((item) => item === '' || item.length > ITEM_LENGTH || /\p{Cc}/u.test(item));
  if (bad < 0) return undefined;
  return (
    `item ${String(bad + 1)} is ${JSON.stringify((items[bad] ?? '').slice(0, 60))}: ` +
    `it needs 1 to ${String(ITEM_LENGTH)} characters on one line`
  );
}

function spaceProblem(plan: FlightPlan, state: FlightState, items: readonly string[]): string | undefined {
  const others = plan.nodes.reduce((sum, { slug }) => sum + (stateOf(state, slug).instances?.length ?? 1), 0);
  const all = others + items.length;
  return all <= INSTANCE_LIMIT
    ? undefined
    : `with ${String(items.length)} items the flight has ${String(all)} agents: at most ${String(INSTANCE_LIMIT)} are allowed`;
}

/**
 * Runs failed work again with new agents. If the agent that a node continues has ended, the whole chain is run again.
 * Returns the slugs of the nodes that run again.
 */
export function rerun(plan: FlightPlan, state: FlightState, slug: string): { readonly nodes: readonly string[] } {
  const { node, failed } = checkRerun(plan, state, slug);
  const again = new Set<string>();
  for (const index of failed) for (const each of restart(plan, state, node, index)) again.add(each);
  return { nodes: plan.nodes.map((each) => each.slug).filter((each) => again.has(each)) };
}

/** Returns the node and the indices of its failed instances. Throws FAILED_PRECONDITION if none failed. */
export function checkRerun(
  plan: FlightPlan,
  state: FlightState,
  slug: string,
): { readonly node: FlightNode; readonly failed: readonly number[] } {
  const node = requireNode(plan, slug);
  const { instances = [] } = stateOf(state, node.slug);
  const failed = instances.flatMap(({ phase }, index) => (phase === 'failed' ? [index] : []));
  if (failed.length === 0) {
    const now = nodeStates(plan, state).get(slug) ?? 'pending';
    throw new MurmurError('FAILED_PRECONDITION', `agent ${JSON.stringify(slug)} of the flight is ${now}, not failed`, {
      hint: 'only failed agents are run again; `murmur flight status` shows which',
      details: { node: slug, state: now },
    });
  }
  requireOpen(state);
  return { node, failed };
}

function restart(plan: FlightPlan, state: FlightState, node: FlightNode, index: number): readonly string[] {
  const { agent } = instanceAt(state, node.slug, index);
  const isAlive = state.agents.some((each) => each.slug === agent && each.alive && !each.stopped);
  if (node.continues !== undefined && isAlive) {
    reset(instanceAt(state, node.slug, index));
    return [node.slug];
  }
  const chain = chainOf(plan, node.slug).map(({ slug }) => slug);
  const upToHere = chain.slice(0, chain.indexOf(node.slug) + 1);
  for (const slug of upToHere) {
    reset(instanceAt(state, slug, index));
    // The approved result is recreated and needs a new approval.
    stateOf(state, slug).approved_by = undefined;
  }
  return upToHere;
}

function reset(instance: Instance): void {
  Object.assign(instance, { ...newInstance(), attempt: instance.attempt + 1 });
}

function instanceAt(state: FlightState, slug: string, index: number): Instance {
  const instance = stateOf(state, slug).instances?.[index];
  if (instance === undefined) throw new Error(`node ${slug} has no instance ${String(index)}`);
  return instance;
}

function requireNode(plan: FlightPlan, slug: string): FlightNode {
  const node = plan.nodes.find((each) => each.slug === slug);
  if (node !== undefined) return node;
  const slugs = plan.nodes.map((each) => each.slug);
  const nearest = nearestName(String(slug), slugs);
  throw new MurmurError('NOT_FOUND', `the flight has no agent ${JSON.stringify(slug)}`, {
    hint: nearest === undefined ? `its agents are ${slugs.join(', ')}` : `did you mean ${nearest}?`,
    details: { node: slug },
  });
}

function requireState(
  plan: FlightPlan,
  state: FlightState,
  { slug }: FlightNode,
  wanted: 'needs-approval' | 'needs-items',
  problem: string,
): void {
  const now = nodeStates(plan, state).get(slug);
  if (now === wanted) return;
  throw new MurmurError(
    'FAILED_PRECONDITION',
    `agent ${JSON.stringify(slug)} of the flight is ${now ?? ''}: ${problem}`,
    {
      hint: '`murmur flight status` shows what the flight waits for',
      details: { node: slug, state: now },
    },
  );
}

function requireOpen(state: FlightState): void {
  if (!state.ended) return;
  throw new MurmurError('FAILED_PRECONDITION', 'the flight has ended with its pilot', { hint: 'run it again' });
}
