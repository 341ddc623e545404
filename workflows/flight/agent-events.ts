// Applies the events of a flight's agents to its state. Pure: contract/wire only.
import type { FlightNode, FlightPlan } from '../../contract/wire/flight/plan.ts';
import type { ChildEvent } from '../../contract/wire/messages.ts';
import { isTerminal } from '../../contract/wire/phases.ts';
import { notifyPilot } from './pilot-messages.ts';
import { failureText, idleText } from './pilot-texts.ts';
import { isActive, stateOf, staysAlive } from './state.ts';
import type { FlightAgent, FlightState, Instance } from './state.ts';

/** Characters of an agent's last answer that are kept: downstream agents read only the start of it. */
const ANSWER_LIMIT = 400;

/** Applies an agent's event to the state. An event of an agent that is not part of the flight changes nothing. */
export function applyAgentEvent(plan: FlightPlan, state: FlightState, event: ChildEvent): void {
  const agent = state.agents.find(({ spawn_id: id }) => id === event.spawn_id);
  if (agent === undefined) return;
  agent.turn = Math.max(agent.turn, event.turn);
  if (event.branches.length > 0) agent.branches = event.branches;
  if (isTerminal(event.phase)) agent.alive = false;
  const work = workOf(plan, state, agent);
  // The agent's work is done: its further phases do not matter to the flight.
  if (work === undefined) return;
  const { node, instance } = work;
  if (event.response !== undefined && event.turn > instance.since_turn) {
    instance.response = event.response.slice(0, ANSWER_LIMIT);
  }
  applyToInstance(plan, state, node, instance, event);
}

function applyToInstance(
  plan: FlightPlan,
  state: FlightState,
  node: FlightNode,
  instance: Instance,
  event: ChildEvent,
): void {
  const worked = event.turn > instance.since_turn && event.at >= (instance.started_at ?? '');
  switch (event.phase) {
    case 'running':
      instance.phase = 'running';
      instance.reason = undefined;
      return;
    case 'task-complete':
      // An agent that terminates by itself first waits for its own children and then reports `completed`.
      if (worked && event.busy_children !== true && staysAlive(plan, node.slug)) finish(instance);
      return;
    case 'completed':
      if (worked) finish(instance);
      else fail(plan, state, node, instance, event.reason ?? 'it was stopped before it began');
      return;
    case 'idle':
      instance.reason = event.reason;
      if (worked) notifyPilot(state, idleText(node, instance));
      return;
    case 'failed':
    case 'canceled':
      fail(plan, state, node, instance, event.reason ?? `it was ${event.phase}`);
      return;
    case 'starting':
      return;
  }
}

function finish(instance: Instance): void {
  instance.phase = 'done';
  instance.reason = undefined;
}

/** Marks the work as failed and notifies the pilot. */
export function fail(plan: FlightPlan, state: FlightState, node: FlightNode, instance: Instance, reason: string): void {
  instance.phase = 'failed';
  instance.reason = reason.slice(0, ANSWER_LIMIT);
  if (!state.ended) notifyPilot(state, failureText(plan, state, node, [instance]));
}

/** The work that the agent has in hand; undefined if there is none. */
function workOf(
  plan: FlightPlan,
  state: FlightState,
  agent: FlightAgent,
): { readonly node: FlightNode; readonly instance: Instance } | undefined {
  for (const node of plan.nodes) {
    const instance = stateOf(state, node.slug).instances?.find((each) => each.agent === agent.slug && isActive(each));
    if (instance !== undefined) return { node, instance };
  }
  return undefined;
}
