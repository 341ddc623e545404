// Decides what a flight does next. Pure: contract/wire only. Each decision is recorded in the state, so that no action
// is decided twice.
import { defined } from '../../contract/wire/defined.ts';
import { expandSlugs } from '../../contract/wire/fanout/template.ts';
import { ITEM_MARK } from '../../contract/wire/flight/plan.ts';
import type { FlightNode, FlightPlan } from '../../contract/wire/flight/plan.ts';
import { askText, finalText } from './pilot-texts.ts';
import { fail } from './agent-events.ts';
import { notifyPilot } from './pilot-messages.ts';
import { chainOf, continuationOf, isActive, nodeStates, stateOf, staysAlive } from './state.ts';
import type { FlightAgent, FlightState, Instance, NodeState } from './state.ts';

/** An action outside the state. */
export type Action =
  /** Start an agent. `item_slug` is the item as it appears in the agent's slug, which is valid in a branch name too. */
  | {
      readonly do: 'start';
      readonly node: string;
      readonly index: number;
      readonly agent: string;
      readonly item_slug?: string;
    }
  /** Send a follow-up to the agent of the node that this one continues. */
  | { readonly do: 'follow'; readonly node: string; readonly index: number; readonly agent: string }
  /** Stop an agent after its turn. */
  | { readonly do: 'stop'; readonly agent: string };

/** How often the pilot is asked for a list, and the time for each answer, which may take a long turn. */
const ASK_LIMIT = 3;
const ASK_AGAIN_MS = 15 * 60_000;

/** Characters of a node's slug before an item, and of any slug before a number: a slug has at most 63. */
const SLUG_HEAD = 40;
const NUMBERED_HEAD = 56;

/**
 * Evaluates the graph and returns the actions to perform.
 * @param newId creates the spawn id of a new agent
 */
export function step(plan: FlightPlan, state: FlightState, now: string, newId: () => string): readonly Action[] {
  if (state.ended) return [];
  openNodes(plan, state, now);
  const actions = [...startWork(plan, state, now, newId), ...stopAgents(plan, state)];
  const states = [...nodeStates(plan, state).values()];
  if (state.finished_at === undefined && states.every((each) => each === 'done')) {
    state.finished_at = now;
    notifyPilot(state, finalText(plan, state), { last: true });
  }
  return actions;
}

/** Milliseconds until the pilot must be asked again; undefined if no answer is awaited. */
export function msUntilNextAsk(plan: FlightPlan, state: FlightState, nowMs: number): number | undefined {
  if (state.ended) return undefined;
  const due = plan.nodes.flatMap(({ slug }) => {
    const { instances, asked } = stateOf(state, slug);
    return instances !== undefined || asked === undefined || asked.times >= ASK_LIMIT
      ? []
      : [Date.parse(asked.at) + ASK_AGAIN_MS - nowMs];
  });
  return due.length === 0 ? undefined : Math.max(1, ...[Math.min(...due)]);
}

/** Creates the instances of nodes whose upstream is done, or asks the pilot for their items. */
function openNodes(plan: FlightPlan, state: FlightState, now: string): void {
  const states = nodeStates(plan, state);
  for (const node of plan.nodes) {
    const own = stateOf(state, node.slug);
    if (own.instances !== undefined) continue;
    const reached = states.get(node.slug);
    if (reached === 'needs-items') ask(state, node, own, now);
    else if (reached === 'ready') own.instances = instancesOf(state, node);
  }
}

function ask(state: FlightState, node: FlightNode, own: NodeState, now: string): void {
  const { asked } = own;
  const late = asked !== undefined && Date.parse(now) - Date.parse(asked.at) >= ASK_AGAIN_MS;
  if (asked !== undefined && (!late || asked.times >= ASK_LIMIT)) return;
  own.asked = { at: now, times: (asked?.times ?? 0) + 1 };
  notifyPilot(state, askText(state, node, asked !== undefined));
}

/** One instance, or as many as the node that this one continues has. */
function instancesOf(state: FlightState, node: FlightNode): Instance[] {
  if (node.continues === undefined) return [newInstance()];
  return (stateOf(state, node.continues).instances ?? []).map(({ item }) => newInstance(item));
}

/** A new instance that waits for its start. */
export function newInstance(item?: string): Instance {
  return {
    phase: 'waiting',
    agent: undefined,
    ...(item === undefined ? {} : { item }),
    attempt: 1,
    since_turn: 0,
    started_at: undefined,
    reason: undefined,
    response: undefined,
  };
}

function startWork(plan: FlightPlan, state: FlightState, now: string, newId: () => string): Action[] {
  const states = nodeStates(plan, state);
  const all = plan.nodes.flatMap(({ slug }) => stateOf(state, slug).instances ?? []);
  let free = (plan.settings.max_concurrent ?? Infinity) - all.filter(isActive).length;
  const actions: Action[] = [];
  for (const node of plan.nodes) {
    const upstream = [...node.needs, ...(node.continues === undefined ? [] : [node.continues])];
    if (!upstream.every((slug) => states.get(slug) === 'done')) continue;
    for (const [index, instance] of (stateOf(state, node.slug).instances ?? []).entries()) {
      if (instance.phase !== 'waiting' || free <= 0) continue;
      const action =
        node.continues === undefined
          ? startAgent(state, plan, node, instance, index, newId())
          : followUp(state, plan, node, instance, index);
      if (action === undefined) continue;
      instance.started_at = now;
      actions.push(action);
      free -= 1;
    }
  }
  return actions;
}

function startAgent(
  state: FlightState,
  plan: FlightPlan,
  node: FlightNode,
  instance: Instance,
  index: number,
  spawn_id: string,
): Action {
  const agent = agentSlug(state, plan, node, instance);
  state.agents.push({ slug: agent, spawn_id, alive: true, turn: 0, branches: [], stopped: false });
  instance.phase = 'starting';
  instance.agent = agent;
  instance.since_turn = 0;
  const { item } = instance;
  const item_slug = item === undefined ? undefined : agent.slice(slugHead(node).length + 1);
  return { do: 'start', node: node.slug, index, agent, ...defined({ item_slug }) };
}

/** A slug from the node's slug, the item and the attempt that no other agent of the flight has had. */
function agentSlug(state: FlightState, plan: FlightPlan, node: FlightNode, { item, attempt }: Instance): string {
  const others = plan.nodes.map(({ slug }) => slug).filter((slug) => slug !== node.slug);
  const taken = new Set([...state.agents.map(({ slug }) => slug), ...others]);
  const words = [...(item === undefined ? [] : [item]), ...(attempt === 1 ? [] : [String(attempt)])];
  const template = `${slugHead(node)}-${ITEM_MARK}`;
  const wanted = words.length === 0 ? node.slug : (expandSlugs(template, [words.join(' ')])[0] ?? '');
  if (!taken.has(wanted)) return wanted;
  for (let number = 2; ; number += 1) {
    const [slug = ''] = expandSlugs(`${wanted.slice(0, NUMBERED_HEAD)}-${ITEM_MARK}`, [String(number)]);
    if (!taken.has(slug)) return slug;
  }
}

/** The part before the item in the slugs of a node's agents. */
function slugHead({ slug }: FlightNode): string {
  return slug.slice(0, SLUG_HEAD);
}

function followUp(
  state: FlightState,
  plan: FlightPlan,
  node: FlightNode,
  instance: Instance,
  index: number,
): Action | undefined {
  const agent = stateOf(state, node.continues ?? '').instances?.[index]?.agent;
  const known = state.agents.find(({ slug }) => slug === agent);
  instance.agent = agent;
  if (agent === undefined || known?.alive !== true) {
    fail(plan, state, node, instance, 'the agent that it continues has ended');
    return undefined;
  }
  instance.phase = 'running';
  instance.since_turn = known.turn;
  return { do: 'follow', node: node.slug, index, agent };
}

/** Stops agents that were kept alive for a follow-up or an approval and are no longer needed. */
function stopAgents(plan: FlightPlan, state: FlightState): Action[] {
  const states = nodeStates(plan, state);
  const actions: Action[] = [];
  for (const node of plan.nodes) {
    if (!staysAlive(plan, node.slug) || continuationOf(plan, node.slug) !== undefined) continue;
    if (!chainOf(plan, node.slug).every(({ slug }) => states.get(slug) === 'done')) continue;
    for (const { agent } of stateOf(state, node.slug).instances ?? []) {
      const known = state.agents.find((each): each is FlightAgent => each.slug === agent);
      if (known === undefined || !known.alive || known.stopped) continue;
      known.stopped = true;
      actions.push({ do: 'stop', agent: known.slug });
    }
  }
  return actions;
}
