// Performs the actions that the graph decided: starts agents, sends follow-ups, stops agents.
import { getExternalWorkflowHandle, uuid4 } from '@temporalio/workflow';
import type { CancellationScope } from '@temporalio/workflow';
import type { FlightInput, StoredFlight } from '../../contract/wire/flight/messages.ts';
import { absolutePathOf, workflowIdOf } from '../../contract/wire/identity.ts';
import { INLINE_TEXT_LIMIT } from '../../contract/wire/turns.ts';
import type { StoredText } from '../../contract/wire/turns.ts';
import { activityProblem } from '../failure.ts';
import { sessionRef } from '../session-ref.ts';
import { startNode, storeNodeText } from './activities.ts';
import { fail } from './agent-events.ts';
import { nodePrompt, withItem } from './node-prompt.ts';
import { isActive, nodeOf, stateOf, staysAlive } from './state.ts';
import type { FlightState, Instance } from './state.ts';
import type { Action } from './step.ts';

/** A running flight. */
export interface Flight {
  readonly input: FlightInput;
  readonly stored: StoredFlight;
  readonly state: FlightState;
  /** Number of actions in progress; the workflow must not close or continue as new until it is 0. */
  pending: number;
  /** Whether the state changed since the graph was last evaluated. */
  changed: boolean;
}

/** Starts the action; its outcome is recorded in the state. */
export function perform(flight: Flight, action: Action, scope: CancellationScope): void {
  flight.pending += 1;
  const done = (): void => {
    flight.pending -= 1;
    flight.changed = true;
  };
  void scope
    .run(() => runAction(flight, action))
    .then(done, (error: unknown) => {
      done();
      // Only a defect is rethrown: the workflow task fails until it is fixed.
      throw error;
    });
}

async function runAction(flight: Flight, action: Action): Promise<void> {
  switch (action.do) {
    case 'start':
      return await start(flight, action);
    case 'follow':
      return await follow(flight, action);
    case 'stop':
      return await stop(flight, action.agent);
  }
}

async function start(flight: Flight, action: Extract<Action, { do: 'start' }>): Promise<void> {
  const { node: slug, index, agent, item_slug } = action;
  const { input, stored, state } = flight;
  const { plan, inputs, tree_limit } = stored;
  const node = nodeOf(plan, slug);
  const instance = instanceOf(state, slug, index);
  const known = state.agents.find((each) => each.slug === agent);
  const session = sessionRef(input.pilot);
  const model = node.model ?? plan.settings.model ?? input.pilot.model;
  const out = node.out ?? plan.settings.out;
  try {
    await startNode({
      ...(session === undefined ? { pilot: input.pilot } : { session }),
      slug: agent,
      spawn_id: known?.spawn_id ?? '',
      session_id: uuid4(),
      created_at: new Date().toISOString(),
      prompt: nodePrompt(plan, state, node, instance, inputs),
      purpose: `${slug} of the flight ${plan.name}`.slice(0, 200),
      ...(model === undefined ? {} : { model }),
      ...(node.branch === undefined ? {} : { branch: withItem(node.branch, item_slug) }),
      ...(out === undefined ? {} : { out }),
      on_idle: staysAlive(plan, slug) ? 'keep_alive' : 'terminate',
      tree_limit,
    });
  } catch (error) {
    const problem = activityProblem(error);
    if (problem === undefined) throw error;
    if (known !== undefined) known.alive = false;
    if (isActive(instance)) fail(plan, state, node, instance, `it could not be started: ${problem.message}`);
  }
}

async function follow(flight: Flight, { node: slug, index, agent }: Extract<Action, { do: 'follow' }>): Promise<void> {
  const { stored, state, input } = flight;
  const { plan, inputs } = stored;
  const node = nodeOf(plan, slug);
  const instance = instanceOf(state, slug, index);
  const id = `flight-${slug}-${String(index)}-${String(instance.attempt)}`;
  try {
    const text = await storable(agentId(input, agent), id, nodePrompt(plan, state, node, instance, inputs));
    await getExternalWorkflowHandle(agentId(input, agent)).signal('queueAdd', {
      id,
      kind: 'queue',
      text,
      from: absolutePathOf(input.pilot.identity),
      at: new Date().toISOString(),
    });
  } catch (error) {
    const problem = activityProblem(error)?.message ?? 'the agent that it continues has ended';
    if (isActive(instance)) fail(plan, state, node, instance, problem);
  }
}

async function storable(agent: string, name: string, text: string): Promise<StoredText> {
  if (new TextEncoder().encode(text).length <= INLINE_TEXT_LIMIT) return { text };
  return await storeNodeText({ agent, name, text });
}

async function stop({ input }: Flight, agent: string): Promise<void> {
  const from = absolutePathOf(input.pilot.identity);
  try {
    await getExternalWorkflowHandle(agentId(input, agent)).signal('stop', { id: `flight-stop-${agent}`, from });
  } catch {
    // The agent has ended already.
  }
}

function agentId({ pilot }: FlightInput, slug: string): string {
  return `${workflowIdOf(pilot.identity)}/${slug}`;
}

function instanceOf(state: FlightState, slug: string, index: number): Instance {
  const instance = stateOf(state, slug).instances?.[index];
  if (instance === undefined) throw new Error(`node ${slug} has no instance ${String(index)}`);
  return instance;
}
