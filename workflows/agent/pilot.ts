// What an agent knows of the flight that it pilots. Pure: contract/wire only.
import type { AgentSpec } from '../../contract/wire/agent.ts';
import { flightIdOf } from '../../contract/wire/flight/messages.ts';
import type { FlightEvent } from '../../contract/wire/messages.ts';
import { INLINE_TEXT_LIMIT } from '../../contract/wire/turns.ts';
import type { FollowUp } from '../../contract/wire/turns.ts';
import type { AgentState } from './state.ts';

/** Reads what a flight tells; undefined for anything else. Only Murmur's own workflow sends it. */
export function readFlightEvent(payload: unknown): FlightEvent | undefined {
  if (typeof payload !== 'object' || payload === null) return undefined;
  const { id, text, at } = payload as Partial<FlightEvent>;
  if (typeof id !== 'string' || typeof text !== 'string' || typeof at !== 'string') return undefined;
  return payload as FlightEvent;
}

/** The message for the pilot, which `clear_queue` leaves in its place: nobody would say it again. */
export function flightMessage({ identity }: AgentSpec, { id, text }: FlightEvent, now: string): FollowUp {
  return { id, kind: 'child', text: { text: text.slice(0, INLINE_TEXT_LIMIT) }, from: flightIdOf(identity), at: now };
}

/** Whether agents of its flight may still have to be started, so that the pilot must not end by itself. */
export function awaitsFlight(state: AgentState, spec: AgentSpec): boolean {
  return spec.flight !== undefined && state.flight_over !== true;
}
