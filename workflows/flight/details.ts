// What Temporal's Web UI shows of a flight beside its history. Pure: contract/wire only.
import type { FlightPlan } from '../../contract/wire/flight/plan.ts';
import { nodeStates } from './state.ts';
import type { FlightState } from './state.ts';

/** The nodes with their states, in Markdown. In the clear for whoever looks: no prompt, no answer. */
export function detailsOf(plan: FlightPlan, state: FlightState): string {
  return [...nodeStates(plan, state)].map(([slug, now]) => `- **${slug}**: ${now}`).join('\n');
}
