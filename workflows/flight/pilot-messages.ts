// What waits to be told to the pilot. Pure.
import type { FlightState } from './state.ts';

/** Appends a message; the number makes its id, so that one that is sent twice is taken once. */
export function tellPilot(state: FlightState, text: string, options: { readonly last?: true } = {}): void {
  state.told += 1;
  state.to_pilot.push({ id: `flight-${String(state.told)}`, text, ...options });
}
