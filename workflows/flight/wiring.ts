// Registers the flight's handlers with Temporal.
import { condition, defineQuery, defineSignal, defineUpdate, setHandler } from '@temporalio/workflow';
import { FLIGHT_QUERY, FLIGHT_SIGNALS } from '../../contract/wire/flight/messages.ts';
import type { FlightInput, FlightSignals, FlightUpdates, NodeOrder } from '../../contract/wire/flight/messages.ts';
import type { FlightView } from '../../contract/wire/flight/view.ts';
import { absolutePathOf } from '../../contract/wire/identity.ts';
import { readChildEvent } from '../inbox.ts';
import { answering } from '../failure.ts';
import { takeNews } from './news.ts';
import { approve, rerun, takeItems } from './orders.ts';
import type { Flight } from './perform.ts';
import { viewOf } from './view.ts';

/** The flight once its plan has been read; messages that come before wait for it. */
export interface FlightSlot {
  flight: Flight | undefined;
  /** Set by a pilot that has ended before the plan was there. */
  ended: boolean;
}

const SIGNALS: { readonly [Name in keyof FlightSignals]: (flight: Flight, payload: unknown) => void } = {
  childEvent: ({ stored, state }, payload) => {
    const event = readChildEvent(payload);
    if (event !== undefined) takeNews(stored.plan, state, event);
  },
  pilotEnded: ({ state }) => {
    state.ended = true;
  },
};

type UpdateHandlers = {
  readonly [Name in keyof FlightUpdates]: (
    flight: Flight,
    input: FlightUpdates[Name]['input'],
  ) => FlightUpdates[Name]['output'];
};

const UPDATES: UpdateHandlers = {
  approve: ({ stored, state }, { node, from }) => approve(stored.plan, state, node, from),
  rerun: ({ stored, state }, { node }) => rerun(stored.plan, state, node),
  items: ({ stored, state }, { node, items }) => takeItems(stored.plan, state, node, items),
};

/** To be called before the first await: a message may have come with the start. */
export function registerHandlers(slot: FlightSlot, input: FlightInput): void {
  for (const name of FLIGHT_SIGNALS) {
    setHandler(defineSignal<[unknown]>(name), (payload) => {
      if (slot.flight === undefined) {
        // No agent has been started that could tell anything.
        if (name === 'pilotEnded') slot.ended = true;
        return;
      }
      SIGNALS[name](slot.flight, payload);
      slot.flight.state.messages += 1;
      slot.flight.changed = true;
    });
  }
  registerUpdate(slot, 'approve');
  registerUpdate(slot, 'rerun');
  registerUpdate(slot, 'items');
  setHandler(defineQuery<FlightView>(FLIGHT_QUERY), () => shown(slot, input));
}

function registerUpdate<Name extends keyof FlightUpdates>(slot: FlightSlot, name: Name): void {
  const handle = UPDATES[name] as (flight: Flight, input: NodeOrder) => FlightUpdates[Name]['output'];
  setHandler(defineUpdate<FlightUpdates[Name]['output'], [NodeOrder]>(name), async (order) => {
    await condition(() => slot.flight !== undefined);
    const { flight } = slot;
    if (flight === undefined) throw new Error('the flight has not been read');
    return answering(() => {
      const output = handle(flight, order);
      flight.state.messages += 1;
      flight.changed = true;
      return output;
    });
  });
}

function shown({ flight }: FlightSlot, { pilot }: FlightInput): FlightView {
  if (flight !== undefined) return viewOf(flight.stored.plan, flight.state, pilot);
  return { name: pilot.flight?.name ?? '', pilot: absolutePathOf(pilot.identity), state: 'running', nodes: [] };
}
