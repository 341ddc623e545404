// The texts that a flight sends to its pilot. Pure: contract/wire only.
import { ITEM_LIMIT } from '../../contract/wire/flight/plan.ts';
import type { FlightNode, FlightPlan } from '../../contract/wire/flight/plan.ts';
import { upstreamFacts } from './node-prompt.ts';
import { nodeStates, stateOf } from './state.ts';
import type { FlightState, Instance } from './state.ts';

/** Lines of a list in a message; `murmur flight status` shows all of them. */
const LIST_LIMIT = 50;

/** Asks the pilot for the items of a node. */
export function askText(state: FlightState, node: FlightNode, again: boolean): string {
  return [
    `[flight] ${again ? 'The flight still waits: agent' : 'Agent'} \`${node.slug}\` runs once for each of: ${node.each ?? ''}`,
    ...upstreamFacts(state, node),
    `Find out what these are, then call the tool \`flight_items\` with \`{"node": "${node.slug}", "items": ["…", "…"]}\`, ` +
      `or run \`murmur flight items ${node.slug} --item <item> --item <item>\`. At most ${String(ITEM_LIMIT)} items, each a ` +
      'short name or path on one line; an empty list means that there is nothing to do. The tool `status` shows the ' +
      'whole answer of an agent. Do not do their work yourself.',
  ].join('\n');
}

/** Reports failed work to the pilot. */
export function failureText(
  plan: FlightPlan,
  state: FlightState,
  node: FlightNode,
  failed: readonly Instance[],
): string {
  const blocked = [...nodeStates(plan, state)].filter(([, each]) => each === 'blocked').map(([slug]) => `\`${slug}\``);
  return [
    `[flight] Agent \`${node.slug}\` has failed:`,
    ...failed.slice(0, LIST_LIMIT).map(instanceLine),
    ...more(failed),
    ...(blocked.length === 0 ? [] : [`Blocked by it: ${blocked.join(', ')}. Everything else goes on.`]),
    `Find out why. If trying again makes sense, call the tool \`flight_rerun\` with \`{"node": "${node.slug}"}\`, or run ` +
      `\`murmur flight rerun ${node.slug}\`; finished agents are not run again. If not, say what a person has to do.`,
  ].join('\n');
}

/** Reports an agent that idles without having finished its work. */
export function idleText(node: FlightNode, instance: Instance): string {
  return [
    `[flight] Agent \`${instance.agent ?? node.slug}\` rests without having finished \`${node.slug}\`: ` +
      (instance.reason ?? 'it does not say why'),
    'The flight waits for it. Send it what it needs with `queue_add`, or kill it: then it counts as failed.',
  ].join('\n');
}

/** Reports that all work is done, and asks for the final answer. */
export function finalText(plan: FlightPlan, state: FlightState): string {
  const lines = plan.nodes.flatMap((node) => {
    const { instances = [], approved_by: approved } = stateOf(state, node.slug);
    const by = approved === undefined ? '' : `, approved by ${approved}`;
    if (instances.length === 0) return [`- \`${node.slug}\`: nothing to do`];
    return [
      `- \`${node.slug}\`${by}:`,
      ...instances.slice(0, LIST_LIMIT).map((each) => `  ${instanceLine(each)}`),
      ...more(instances),
    ];
  });
  return [
    `[flight] All agents of the flight ${plan.name} are done.`,
    ...lines,
    'Check what has to be checked by your notes, then give the final answer: what was done, where it is, what is left.',
  ].join('\n');
}

function instanceLine({ agent, item, reason, response }: Instance): string {
  const what = `\`${agent ?? 'no agent'}\`${item === undefined ? '' : ` (${item})`}`;
  const outcome = reason ?? response;
  return `- ${what}${outcome === undefined || outcome === '' ? '' : `: ${outcome.replaceAll(/\s+/g, ' ')}`}`;
}

function more(list: readonly unknown[]): string[] {
  return list.length <= LIST_LIMIT
    ? []
    : [`- and ${String(list.length - LIST_LIMIT)} more: \`murmur flight status\` shows them`];
}
