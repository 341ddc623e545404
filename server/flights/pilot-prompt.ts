// What the pilot of a flight is given to read.
import { graphText } from '../../contract/flight/graph-text.ts';
import type { FlightPlan } from '../../contract/wire/flight/plan.ts';

/** Notes, graph and inputs; a description that came with the spawn follows. Without agents the pilot does the work. */
export function pilotPrompt(plan: FlightPlan, inputs: string | undefined, description: string): string {
  const notes = plan.notes === '' ? [] : [plan.notes];
  const given = inputs === undefined ? [] : [`Inputs, as JSON: ${inputs}`];
  const asked = description.trim() === '' ? [] : [description];
  if (plan.nodes.length === 0) return [`# ${plan.name}`, ...notes, ...given, ...asked].join('\n\n');
  return [
    `You are the pilot of the flight "${plan.name}".`,
    'Murmur itself runs its graph: it starts the agents below as your children, each when what it needs is done, and ' +
      'gives each its own task. Start none of them yourself, and do not do their work. You are told when an agent has ' +
      'failed, when the list that an `each` agent runs over is wanted of you, and when all are done: then you give the ' +
      'final answer. `flight_status` shows how far it is. A gate is approved by a person, never by you.',
    ...(notes.length === 0 ? [] : ['Notes of the flight:', ...notes]),
    `Graph, by steps:\n\n\`\`\`text\n${graphText(plan)}\n\`\`\``,
    ...given,
    ...asked,
    'Now end your turn with one line that says that you are ready.',
  ].join('\n\n');
}
