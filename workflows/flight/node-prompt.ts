// The prompt of an agent of a flight. Pure: contract/wire only.
import { ITEM_MARK } from '../../contract/wire/flight/plan.ts';
import type { FlightNode, FlightPlan } from '../../contract/wire/flight/plan.ts';
import { stateOf } from './state.ts';
import type { FlightState, Instance } from './state.ts';

/** How many upstream answers per node are listed; the rest are only counted. */
const LISTED_AGENTS = 20;

/** The node's prompt, followed by the facts about the flight that the agent cannot know otherwise. */
export function nodePrompt(
  plan: FlightPlan,
  state: FlightState,
  node: FlightNode,
  instance: Instance,
  inputs: string | undefined,
): string {
  const { item } = instance;
  const facts = [
    `You are the agent \`${node.slug}\` of the flight "${plan.name}"${item === undefined ? '' : `, for the item: ${item}`}.`,
    ...(inputs === undefined ? [] : [`Inputs of the flight, as JSON: ${inputs}`]),
    ...upstreamFacts(state, node),
    ...(node.continues === undefined ? [] : resultFacts(node.out ?? plan.settings.out)),
  ];
  return `${withItem(node.prompt, item)}\n\n[flight] ${facts.join('\n')}`;
}

/** Replaces every item mark in the text with the item. */
export function withItem(text: string, item: string | undefined): string {
  return item === undefined ? text : text.replaceAll(ITEM_MARK, () => item);
}

/** The results of the upstream agents. Their conversations are not included. */
export function upstreamFacts(state: FlightState, node: FlightNode): readonly string[] {
  if (node.needs.length === 0) return [];
  const lines = node.needs.flatMap((slug) => {
    const instances = stateOf(state, slug).instances ?? [];
    const listed = instances.slice(0, LISTED_AGENTS).map((each) => upstreamLine(state, slug, each));
    const rest = instances.length - listed.length;
    return rest === 0 ? listed : [...listed, `- \`${slug}\`: and ${String(rest)} more agents`];
  });
  return ['Done before, by agents of their own:', ...lines];
}

function upstreamLine(state: FlightState, slug: string, { agent, item, response }: Instance): string {
  const branches = state.agents.find((each) => each.slug === agent)?.branches ?? [];
  const facts = [
    ...(item === undefined ? [] : [`item ${item}`]),
    ...(branches.length === 0 ? [] : [`branch ${branches.join(', ')}`]),
  ];
  const answer = response === undefined || response === '' ? 'no answer' : response.replaceAll(/\s+/g, ' ');
  return `- \`${slug}\`${facts.length === 0 ? '' : ` (${facts.join('; ')})`}: ${answer}`;
}

/** A follow-up cannot change the result that its agent was spawned with, so the text states it. */
function resultFacts(out: string | undefined): readonly string[] {
  if (out === undefined) return [];
  if (out === 'respond') return ['Result: answer in your last message. Nothing has to be committed or pushed.'];
  return [out === 'push' ? 'Result: commit your work on your branch and push it to `origin` before you finish.' : out];
}
