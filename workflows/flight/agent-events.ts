// What the agents of a flight tell, and what comes of it. Pure: contract/wire only.
import type { FlightNode, FlightPlan } from '../../contract/wire/flight/plan.ts';
import type { ChildEvent } from '../../contract/wire/messages.ts';
import { isTerminal } from '../../contract/wire/phases.ts';
import { tellPilot } from './pilot-messages.ts';
import { failureText, idleText } from './pilot-texts.ts';
import { isActive, stateOf, staysAlive } from './state.ts';
import type { FlightAgent, FlightState, Instance } from './state.ts';

/** Characters of an agent's last answer that are kept: what comes after it reads the start of it. */
const KEPT_ANSWER = 400;

/** Takes an agent's message into the state. One of an agent that is not the flight's changes nothing. */
export function takeNews(plan: FlightPlan, state: FlightState, event: ChildEvent): void {
  const agent = state.agents.find(({ spawn_id: id }) => id === event.spawn_id);
  if (agent === undefined) return;
  agent.turn = Math.max(agent.turn, event.turn);
  if (event.branches.length > 0) agent.branches = event.branches;
  if (isTerminal(event.phase)) agent.alive = false;
  const work = workOf(plan, state, agent);
  // Its work is done: that it goes on, rests or ends is for nobody here.
  if (work === undefined) return;
  const { node, instance } = work;
  if (event.response !== undefined && event.turn > instance.since_turn) {
    instance.response = event.response.slice(0, KEPT_ANSWER);
  }
  judge(plan, state, node, instance, event);
}

function judge(plan: FlightPlan, state: FlightState, node: FlightNode, instance: Instance, event: ChildEvent): void {
  const worked = event.turn > instance.since_turn && event.at >= (instance.started_at ?? '');
  switch (event.phase) {
    case 'running':
      instance.phase = 'running';
      instance.reason = undefined;
      return;
    case 'task-complete':
      // One that ends by itself waits for its own children first, and then says that it is completed.
      if (worked && event.busy_children !== true && staysAlive(plan, node.slug)) finish(instance);
      return;
    case 'completed':
      if (worked) finish(instance);
      else fail(plan, state, node, instance, event.reason ?? 'it was stopped before it began');
      return;
    case 'idle':
      instance.reason = event.reason;
      if (worked) tellPilot(state, idleText(node, instance));
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

/** Work that could not be done: the pilot hears of it. */
export function fail(plan: FlightPlan, state: FlightState, node: FlightNode, instance: Instance, reason: string): void {
  instance.phase = 'failed';
  instance.reason = reason.slice(0, KEPT_ANSWER);
  if (!state.ended) tellPilot(state, failureText(plan, state, node, [instance]));
}

/** What the agent is at work on. */
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
