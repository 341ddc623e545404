// Every message has a name and a handler. The compiler checks half of this: without its guard a line below compiles
// that must not, and `npm run typecheck` fails for its `@ts-expect-error`.
import { describe, expect, it } from '@jest/globals';
import { FANOUT_SIGNALS } from '../../contract/wire/fanout/messages.ts';
import { FLIGHT_SIGNALS, FLIGHT_UPDATES } from '../../contract/wire/flight/messages.ts';
import { AGENT_QUERIES, AGENT_SIGNALS, AGENT_UPDATES } from '../../contract/wire/messages.ts';
import { namesOf } from '../../contract/wire/names.ts';
import * as agent from '../../workflows/agent/handlers.ts';
import * as agentSignals from '../../workflows/agent/signals.ts';
import * as fanout from '../../workflows/fanout/signals.ts';
import * as flight from '../../workflows/flight/handlers.ts';

interface Messages {
  readonly pause: unknown;
  readonly resume: unknown;
}

describe('a list of names', () => {
  it('has every name of its table, in the order in which the names are written', () => {
    expect(namesOf<Messages>({ resume: true, pause: true })).toEqual(['resume', 'pause']);
  });

  it('does not compile with a missing or an additional name', () => {
    // @ts-expect-error `resume` is missing
    namesOf<Messages>({ pause: true });
    // @ts-expect-error `stop` is no message
    namesOf<Messages>({ pause: true, resume: true, stop: true });
  });
});

describe('handlers', () => {
  it.each([
    ['signals of an agent', AGENT_SIGNALS, agentSignals.SIGNAL_HANDLERS],
    ['updates of an agent', AGENT_UPDATES, agent.UPDATE_HANDLERS],
    ['queries of an agent', AGENT_QUERIES, agent.QUERY_HANDLERS],
    ['signals of a flight', FLIGHT_SIGNALS, flight.SIGNAL_HANDLERS],
    ['updates of a flight', FLIGHT_UPDATES, flight.UPDATE_HANDLERS],
    ['signals of a fan-out', FANOUT_SIGNALS, fanout.SIGNAL_HANDLERS],
  ])('%s: each name has one', (_what, names, handlers) => {
    expect([...names].toSorted()).toEqual(Object.keys(handlers).toSorted());
  });

  it('do not compile if one is missing', () => {
    const { kill: _kill, ...signals } = agentSignals.SIGNAL_HANDLERS;
    // @ts-expect-error `kill` has no handler
    const ofAgent: typeof agentSignals.SIGNAL_HANDLERS = signals;
    const { setBudget: _setBudget, ...updates } = agent.UPDATE_HANDLERS;
    // @ts-expect-error `setBudget` has no handler
    const ofUpdates: typeof agent.UPDATE_HANDLERS = updates;
    const { waiting: _waiting, ...queries } = agent.QUERY_HANDLERS;
    // @ts-expect-error `waiting` has no handler
    const ofQueries: typeof agent.QUERY_HANDLERS = queries;
    const { pilotEnded: _pilotEnded, ...flightSignals } = flight.SIGNAL_HANDLERS;
    // @ts-expect-error `pilotEnded` has no handler
    const ofFlight: typeof flight.SIGNAL_HANDLERS = flightSignals;
    const { items: _items, ...orders } = flight.UPDATE_HANDLERS;
    // @ts-expect-error `items` has no handler
    const ofOrders: typeof flight.UPDATE_HANDLERS = orders;
    const { drop: _drop, ...fanoutSignals } = fanout.SIGNAL_HANDLERS;
    // @ts-expect-error `drop` has no handler
    const ofFanout: typeof fanout.SIGNAL_HANDLERS = fanoutSignals;
    for (const table of [ofAgent, ofUpdates, ofQueries, ofFlight, ofOrders, ofFanout]) expect(table).toBeDefined();
  });
});
