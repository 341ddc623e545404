// Tells the pilot what the flight has to say, in order, beside everything else that the workflow does.
import { condition, getExternalWorkflowHandle } from '@temporalio/workflow';
import { workflowIdOf } from '../../contract/wire/identity.ts';
import type { FlightEvent } from '../../contract/wire/messages.ts';
import type { Flight } from './perform.ts';

/** Starts to send; a pilot that cannot be told has ended, and the flight with it. It runs as long as the workflow does. */
export async function startPilotSender(flight: Flight): Promise<never> {
  const { state, input } = flight;
  const pilot = getExternalWorkflowHandle(workflowIdOf(input.pilot.identity));
  for (;;) {
    await condition(() => state.to_pilot.length > 0);
    flight.pending += 1;
    const [message] = state.to_pilot.splice(0, 1);
    try {
      const event: FlightEvent | undefined = message && { ...message, at: new Date().toISOString() };
      if (event !== undefined && !state.ended) await pilot.signal('flightEvent', event);
    } catch {
      state.ended = true;
    } finally {
      flight.pending -= 1;
      flight.changed = true;
    }
  }
}
