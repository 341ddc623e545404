// The current details of a flight in Temporal's Web UI. Pure: contract/wire only.
import type { FlightPlan } from '../../contract/wire/flight/plan.ts';
import { nodeStates } from './state.ts';
import type { FlightState } from './state.ts';

/** The nodes with their states, in Markdown. Not encrypted, so it has no prompt and no answer. */
export function detailsOf(plan: FlightPlan, state: FlightState): string {
  return [...nodeStates(plan, state)].map(([slug, now]) => `- **${slug}**: ${now}`).join('\n');
}
