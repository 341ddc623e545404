// Messages that a pilot receives from its flight, and events of the flight's agents that do not wake it.
import { describe, expect, it } from '@jest/globals';
import type { ChildEvent, FlightEvent } from '../../../contract/wire/messages.ts';
import { registerChild } from '../../../workflows/agent/children/children.ts';
import { awaitsFlight } from '../../../workflows/agent/flight.ts';
import { clearQueue } from '../../../workflows/agent/turn/queue.ts';
import { SIGNAL_HANDLERS } from '../../../workflows/agent/signals.ts';
import { agentSpec } from '../../fixtures/agent-spec.ts';
import { message, NOW, testAgent } from '../../fixtures/agent-state.ts';

const PILOT = { workspace: 'default', account: 'tess', path: ['flight-deploy'] } as const;

function pilot() {
  const agent = testAgent({ identity: PILOT, flight: { name: 'Deploy', key: 'k' } });
  agent.begin();
  const tell = (event: unknown): void => SIGNAL_HANDLERS.flightEvent(agent.state, event, NOW, agent.spec);
  return { ...agent, tell };
}

const EVENT: FlightEvent = { id: 'flight-1', text: '[flight] Agent `a` has failed', at: NOW };

describe('a pilot', () => {
  it('receives a message of its flight once, and clearing the queue does not remove it', () => {
    const { state, tell } = pilot();
    tell(EVENT);
    tell(EVENT);
    state.queue.push(message('something else'));
    expect(clearQueue(state)).toBe(1);
    expect(state.queue).toEqual([
      { id: 'flight-1', kind: 'child', text: { text: EVENT.text }, from: 'f/default/u/tess/flight-deploy', at: NOW },
    ]);
  });

  it('waits for the last message of its flight, even one that arrives while the pilot ends', () => {
    const { state, spec, tell } = pilot();
    expect(awaitsFlight(state, spec)).toBe(true);
    state.end = { how: 'stop', by: 'tess', reason: undefined };
    tell({ ...EVENT, last: true });
    expect(awaitsFlight(state, spec)).toBe(false);
    expect(state.queue).toEqual([]);
  });

  it.each([[undefined], ['text'], [null], [{ id: 1, text: 'x', at: NOW }], [{ id: 'x' }]])(
    'ignores the flight event %j',
    (payload) => {
      const { state, tell } = pilot();
      tell(payload);
      expect(state.queue).toEqual([]);
    },
  );

  it("records its flight's agents and their cost, and is woken only by the ends of its own children", () => {
    const { state, spec } = pilot();
    const spawn = (slug: string, changes = {}): string => {
      const child = agentSpec({ identity: { ...PILOT, path: [...PILOT.path, slug] }, ...changes });
      registerChild(state, spec, child, NOW);
      return child.spawn_id;
    };
    const end = (slug: string, spawn_id: string): void => {
      const event: ChildEvent = {
        id: 'told-1',
        slug,
        spawn_id,
        phase: 'failed',
        turn: 1,
        branches: [],
        cost_usd: 0.5,
        at: NOW,
      };
      SIGNAL_HANDLERS.childEvent(state, event, NOW, spec);
    };
    end('build', spawn('build', { for_flight: 'f/default/u/tess/flight-deploy' }));
    expect(state.queue).toEqual([]);
    expect(state.children).toMatchObject([{ slug: 'build', phase: 'failed', cost_usd: 0.5, flight: true }]);
    end('own', spawn('own'));
    expect(state.queue).toHaveLength(1);
  });

  it('an agent without a flight ignores a flight event', () => {
    const { state, spec } = testAgent();
    SIGNAL_HANDLERS.flightEvent(state, EVENT, NOW, spec);
    expect(state.queue).toEqual([]);
    expect(awaitsFlight(state, spec)).toBe(false);
  });
});
