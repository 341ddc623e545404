// Registers the flight's handlers with Temporal.
import { condition, defineQuery, defineSignal, defineUpdate, setHandler } from '@temporalio/workflow';
import { MurmurError } from '../../contract/wire/errors.ts';
import { FLIGHT_QUERY, FLIGHT_SIGNALS, FLIGHT_UPDATES } from '../../contract/wire/flight/messages.ts';
import type { FlightInput, FlightSignals, FlightUpdates } from '../../contract/wire/flight/messages.ts';
import type { FlightView } from '../../contract/wire/flight/view.ts';
import { absolutePathOf } from '../../contract/wire/identity.ts';
import { withApplicationFailures } from '../failure.ts';
import { readChildEvent } from '../inbox.ts';
import { takeNews } from './agent-events.ts';
import { approve, checkApproval, checkItems, checkRerun, rerun, takeItems } from './updates.ts';
import type { Flight } from './perform.ts';
import { viewOf } from './view.ts';

/** The flight once its plan has been read; signals that come before are those of its pilot. */
export interface FlightSlot {
  flight: Flight | undefined;
  /** Set by a pilot that has ended before the plan was there. */
  ended: boolean;
}

/** One for each signal; a missing one does not compile. */
export const SIGNAL_HANDLERS: { readonly [Name in keyof FlightSignals]: (flight: Flight, payload: unknown) => void } = {
  childEvent: ({ stored, state }, payload) => {
    const event = readChildEvent(payload);
    if (event !== undefined) takeNews(stored.plan, state, event);
  },
  pilotEnded: ({ state }) => {
    state.ended = true;
  },
};

export interface UpdateHandler<Input, Output> {
  /** Throws what `handle` would throw and changes nothing: what it refuses does not enter the history. */
  check(flight: Flight, input: Input): void;
  /** Synchronous: an update that is answered in a later task can stop a workflow for good (server 1.31, SDK 1.24). */
  handle(flight: Flight, input: Input): Output;
}

/** One for each update; a missing one does not compile. */
export const UPDATE_HANDLERS: {
  readonly [Name in keyof FlightUpdates]: UpdateHandler<FlightUpdates[Name]['input'], FlightUpdates[Name]['output']>;
} = {
  approve: {
    check: ({ stored, state }, { node }) => void checkApproval(stored.plan, state, node),
    handle: ({ stored, state }, { node, from }) => approve(stored.plan, state, node, from),
  },
  rerun: {
    check: ({ stored, state }, { node }) => void checkRerun(stored.plan, state, node),
    handle: ({ stored, state }, { node }) => rerun(stored.plan, state, node),
  },
  items: {
    check: ({ stored, state }, { node, items }) => void checkItems(stored.plan, state, node, items),
    handle: ({ stored, state }, { node, items }) => takeItems(stored.plan, state, node, items),
  },
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
      SIGNAL_HANDLERS[name](slot.flight, payload);
      slot.flight.state.messages += 1;
      slot.flight.changed = true;
    });
  }
  for (const name of FLIGHT_UPDATES) {
    // The table types each entry by its name; over all names at once they have no common type.
    const { check, handle } = UPDATE_HANDLERS[name] as UpdateHandler<unknown, unknown>;
    setHandler(
      defineUpdate<unknown, [unknown]>(name),
      async (order) => {
        // Only in a history whose build accepted orders before it had read the plan.
        if (slot.flight === undefined) await condition(() => slot.flight !== undefined);
        const flight = loaded(slot);
        return withApplicationFailures(() => {
          const output = handle(flight, order);
          flight.state.messages += 1;
          flight.changed = true;
          return output;
        });
      },
      { validator: (order) => withApplicationFailures(() => check(loaded(slot), requireObject(order))) },
    );
  }
  setHandler(defineQuery<FlightView>(FLIGHT_QUERY), () => shown(slot, input));
}

/** Throws UNAVAILABLE, which callers try again, while the plan is being read. */
function loaded({ flight }: FlightSlot): Flight {
  if (flight !== undefined) return flight;
  throw new MurmurError('UNAVAILABLE', 'the plan of the flight is still being read', { hint: 'try again in a moment' });
}

/** An operator may send anything. */
function requireObject(order: unknown): unknown {
  if (typeof order === 'object' && order !== null) return order;
  throw new MurmurError('INVALID_ARGUMENT', 'the payload is not an object');
}

function shown({ flight }: FlightSlot, { pilot }: FlightInput): FlightView {
  if (flight !== undefined) return viewOf(flight.stored.plan, flight.state, pilot);
  return { name: pilot.flight?.name ?? '', pilot: absolutePathOf(pilot.identity), state: 'running', nodes: [] };
}
