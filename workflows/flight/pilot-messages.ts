// The outbox of messages to the pilot. Pure.
import type { FlightState } from './state.ts';

/** Queues a message. Its id is its number, so that a message sent twice is delivered once. */
export function notifyPilot(state: FlightState, text: string, options: { readonly last?: true } = {}): void {
  state.told += 1;
  state.to_pilot.push({ id: `flight-${String(state.told)}`, text, ...options });
}
