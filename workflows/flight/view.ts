// The views of a flight: for its status, and for Temporal's Web UI. Pure: contract/wire only.
import type { AgentSpec } from '../../contract/wire/agent.ts';
import type { FlightNode, FlightPlan } from '../../contract/wire/flight/plan.ts';
import type {
  FlightStateName,
  FlightView,
  InstanceView,
  NodeStateName,
  NodeView,
} from '../../contract/wire/flight/view.ts';
import { absolutePathOf } from '../../contract/wire/identity.ts';
import { nodeStates, stateOf } from './state.ts';
import type { FlightState, Instance } from './state.ts';

/** The flight with all its nodes and agents. */
export function viewOf(plan: FlightPlan, state: FlightState, pilot: AgentSpec): FlightView {
  const states = nodeStates(plan, state);
  const { max_concurrent } = plan.settings;
  return {
    name: plan.name,
    pilot: absolutePathOf(pilot.identity),
    state: flightState(state, [...states.values()]),
    ...(max_concurrent === undefined ? {} : { max_concurrent }),
    nodes: plan.nodes.map((node) => nodeView(state, node, states.get(node.slug) ?? 'pending')),
    ...(state.finished_at === undefined ? {} : { finished_at: state.finished_at }),
  };
}

function flightState(state: FlightState, nodes: readonly NodeStateName[]): FlightStateName {
  if (state.finished_at !== undefined) return 'done';
  if (state.ended) return 'ended';
  return nodes.some((each) => each === 'running' || each === 'ready') ? 'running' : 'waiting';
}

function nodeView(state: FlightState, node: FlightNode, now: NodeStateName): NodeView {
  const { needs, continues, gate, each } = node;
  const { instances = [], approved_by } = stateOf(state, node.slug);
  return {
    slug: node.slug,
    state: now,
    ...(needs.length === 0 ? {} : { needs }),
    ...(continues === undefined ? {} : { continues }),
    ...(gate === undefined ? {} : { gate }),
    ...(each === undefined ? {} : { each }),
    ...(approved_by === undefined ? {} : { approved_by }),
    agents: instances.map((instance) => instanceView(state, instance)),
  };
}

function instanceView(state: FlightState, instance: Instance): InstanceView {
  const { agent, item, phase, attempt, reason, response } = instance;
  const branches = state.agents.find(({ slug }) => slug === agent)?.branches ?? [];
  return {
    ...(agent === undefined ? {} : { agent }),
    ...(item === undefined ? {} : { item }),
    state: phase,
    attempt,
    ...(reason === undefined ? {} : { reason }),
    ...(response === undefined ? {} : { response }),
    ...(branches.length === 0 ? {} : { branches }),
  };
}

/** The nodes with their states, in Markdown, for `setCurrentDetails`. Not encrypted, so it has no prompt and no answer. */
export function detailsOf(plan: FlightPlan, state: FlightState): string {
  return [...nodeStates(plan, state)].map(([slug, now]) => `- **${slug}**: ${now}`).join('\n');
}
