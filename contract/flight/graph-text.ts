// A flight's graph as text, for people and for its pilot.
import { upstreamOf } from '../wire/flight/plan.ts';
import type { FlightNode, FlightPlan } from '../wire/flight/plan.ts';

/** An agent, and how many others in a row it waits for. */
export interface RankedNode {
  readonly node: FlightNode;
  /** From 1: agents of one step can be at work at once. */
  readonly step: number;
}

/** The agents in an order in which each comes after all that it waits for. */
export function rankNodes({ nodes }: FlightPlan): readonly RankedNode[] {
  const steps = new Map<string, number>();
  const stepOf = (node: FlightNode): number => {
    const known = steps.get(node.slug);
    if (known !== undefined) return known;
    const before = nodes.filter(({ slug }) => upstreamOf(node).includes(slug)).map(stepOf);
    const step = 1 + Math.max(0, ...before);
    steps.set(node.slug, step);
    return step;
  };
  return nodes.map((node) => ({ node, step: stepOf(node) })).toSorted((a, b) => a.step - b.step);
}

/** One line for each agent: its step, its name, what it waits for, and what makes it special. */
export function graphText(plan: FlightPlan): string {
  const ranked = rankNodes(plan);
  const width = Math.max(0, ...ranked.map(({ node }) => node.slug.length));
  return ranked
    .map(({ node, step }) => {
      const facts = factsOf(node).join('; ');
      return `${String(step).padStart(2)}  ${facts === '' ? node.slug : `${node.slug.padEnd(width)}  ${facts}`}`;
    })
    .join('\n');
}

function factsOf({ needs, continues, each, gate, model, branch, out }: FlightNode): readonly string[] {
  return [
    ...(needs.length === 0 ? [] : [`needs ${needs.join(', ')}`]),
    ...(continues === undefined ? [] : [`continues ${continues}`]),
    ...(each === undefined ? [] : [`each: ${each}`]),
    ...(gate === undefined ? [] : [`gate ${gate}`]),
    ...(model === undefined ? [] : [`model ${model}`]),
    ...(branch === undefined ? [] : [`branch ${branch}`]),
    ...(out === undefined ? [] : [`out ${out}`]),
  ];
}
