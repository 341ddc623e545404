// The handlers of a flight, and their registration with Temporal.
import { condition, defineQuery, defineSignal, defineUpdate, setHandler } from '@temporalio/workflow';
import { MurmurError } from '../../contract/wire/errors.ts';
import { FLIGHT_QUERY, FLIGHT_SIGNALS, FLIGHT_UPDATES } from '../../contract/wire/flight/messages.ts';
import type { FlightInput, FlightSignals, FlightUpdates } from '../../contract/wire/flight/messages.ts';
import type { FlightView } from '../../contract/wire/flight/view.ts';
import { absolutePathOf } from '../../contract/wire/identity.ts';
import { withApplicationFailures } from '../failure.ts';
import { readChildEvent } from '../inbox.ts';
import { applyAgentEvent } from './agent-events.ts';
import { approve, checkApproval, checkItems, checkRerun, rerun, takeItems } from './updates.ts';
import type { Flight } from './perform.ts';
import { viewOf } from './view.ts';

/** The flight, once its plan has been read. Signals that arrive earlier can only be from its pilot. */
export interface FlightRef {
  flight: Flight | undefined;
  /** Set if the pilot ended before the plan was read. */
  ended: boolean;
}

/** One handler per signal; a missing one does not compile. */
export const SIGNAL_HANDLERS: { readonly [Name in keyof FlightSignals]: (flight: Flight, payload: unknown) => void } = {
  childEvent: ({ stored, state }, payload) => {
    const event = readChildEvent(payload);
    if (event !== undefined) applyAgentEvent(stored.plan, state, event);
  },
  pilotEnded: ({ state }) => {
    state.ended = true;
  },
};

export interface UpdateHandler<Input, Output> {
  /** Throws what `handle` would throw and changes nothing: a refused update does not enter the history. */
  check(flight: Flight, input: Input): void;
  /** Synchronous: an update that is answered in a later task can block a workflow for good (server 1.31, SDK 1.24). */
  handle(flight: Flight, input: Input): Output;
}

/** One handler per update; a missing one does not compile. */
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

/** Must be called before the first await: a message may arrive with the start of the workflow. */
export function registerHandlers(ref: FlightRef, input: FlightInput): void {
  for (const name of FLIGHT_SIGNALS) {
    setHandler(defineSignal<[unknown]>(name), (payload) => {
      if (ref.flight === undefined) {
        // No agent was started yet, so no agent can send an event.
        if (name === 'pilotEnded') ref.ended = true;
        return;
      }
      SIGNAL_HANDLERS[name](ref.flight, payload);
      ref.flight.state.messages += 1;
      ref.flight.changed = true;
    });
  }
  for (const name of FLIGHT_UPDATES) {
    // The table types each entry by its name; there is no common type for all names.
    const { check, handle } = UPDATE_HANDLERS[name] as UpdateHandler<unknown, unknown>;
    setHandler(
      defineUpdate<unknown, [unknown]>(name),
      async (order) => {
        // Only in the history of a build that accepted updates before it had read the plan.
        if (ref.flight === undefined) await condition(() => ref.flight !== undefined);
        const flight = requireLoaded(ref);
        return withApplicationFailures(() => {
          const output = handle(flight, order);
          flight.state.messages += 1;
          flight.changed = true;
          return output;
        });
      },
      { validator: (order) => withApplicationFailures(() => check(requireLoaded(ref), requireObject(order))) },
    );
  }
  setHandler(defineQuery<FlightView>(FLIGHT_QUERY), () => currentView(ref, input));
}

/** Throws UNAVAILABLE, which callers retry, while the plan is being read. */
function requireLoaded({ flight }: FlightRef): Flight {
  if (flight !== undefined) return flight;
  throw new MurmurError('UNAVAILABLE', 'the plan of the flight is still being read', { hint: 'try again in a moment' });
}

/** An operator may send any payload by hand. */
function requireObject(order: unknown): unknown {
  if (typeof order === 'object' && order !== null) return order;
  throw new MurmurError('INVALID_ARGUMENT', 'the payload is not an object');
}

function currentView({ flight }: FlightRef, { pilot }: FlightInput): FlightView {
  if (flight !== undefined) return viewOf(flight.stored.plan, flight.state, pilot);
  return { name: pilot.flight?.name ?? '', pilot: absolutePathOf(pilot.identity), state: 'running', nodes: [] };
}
