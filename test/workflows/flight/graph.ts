// A flight without Temporal: the pure graph, with agents simulated by the test.
import { parseFlight } from '../../../contract/flight/parse.ts';
import type { FlightPlan } from '../../../contract/wire/flight/plan.ts';
import type { ChildEvent } from '../../../contract/wire/messages.ts';
import { fail, applyAgentEvent } from '../../../workflows/flight/agent-events.ts';
import { initialState, nodeOf, nodeStates, stateOf } from '../../../workflows/flight/state.ts';
import type { FlightState } from '../../../workflows/flight/state.ts';
import { step } from '../../../workflows/flight/step.ts';
import type { Action } from '../../../workflows/flight/step.ts';

const START = Date.parse('2026-11-21T08:00:00.000Z');

export class Graph {
  readonly plan: FlightPlan;
  state: FlightState;
  /** Milliseconds since the start. */
  clock = 0;
  #ids = 0;
  #turns = new Map<string, number>();

  constructor(source: string) {
    this.plan = parseFlight(`# Test\n${source}`, 'test.md');
    this.state = initialState(this.plan);
  }

  get now(): string {
    return new Date(START + this.clock).toISOString();
  }

  /**
   * Evaluates the graph and returns the actions as `start a`, `follow b by a`, `stop a`. The state passes through JSON.
   */
  step(): readonly string[] {
    this.clock += 1;
    const actions = step(this.plan, this.state, this.now, () => `spawn-${(this.#ids += 1).toString()}`);
    this.state = JSON.parse(JSON.stringify(this.state)) as FlightState;
    return actions.map(textOf);
  }

  /** Sends an event of the agent. `task-complete` and later phases belong to a new turn unless `turn` is given. */
  sendEvent(agent: string, phase: ChildEvent['phase'], changes: Partial<ChildEvent> = {}): void {
    this.clock += 1;
    const known = this.state.agents.find(({ slug }) => slug === agent);
    if (known === undefined) throw new Error(`no agent ${agent}`);
    const turn = changes.turn ?? (this.#turns.get(agent) ?? 0) + (phase === 'running' ? 0 : 1);
    this.#turns.set(agent, turn);
    applyAgentEvent(this.plan, this.state, {
      id: `told-${this.clock.toString()}`,
      slug: agent,
      spawn_id: known.spawn_id,
      phase,
      turn,
      response: `answer of ${agent}`,
      branches: [],
      cost_usd: 0,
      at: this.now,
      ...changes,
    });
  }

  /** The agent finishes its work and terminates. */
  complete(agent: string): void {
    this.sendEvent(agent, 'running');
    this.sendEvent(agent, 'task-complete');
    this.sendEvent(agent, 'completed', { turn: this.#turns.get(agent) ?? 1 });
  }

  /** The agent could not be started. */
  refuse(node: string, index = 0): void {
    const instance = stateOf(this.state, node).instances?.[index];
    if (instance === undefined) throw new Error(`no instance of ${node}`);
    fail(this.plan, this.state, nodeOf(this.plan, node), instance, 'it could not be started: no room');
  }

  states(): Record<string, string> {
    return Object.fromEntries(nodeStates(this.plan, this.state));
  }

  /** Messages to the pilot since the last call. */
  pilotMessages(): readonly string[] {
    return this.state.to_pilot.splice(0).map(({ text }) => text);
  }
}

function textOf(action: Action): string {
  switch (action.do) {
    case 'start':
      return `start ${action.agent}`;
    case 'follow':
      return `follow ${action.node} by ${action.agent}`;
    case 'stop':
      return `stop ${action.agent}`;
  }
}
