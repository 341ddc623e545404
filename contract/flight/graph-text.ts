// A flight's graph as text, for people and for the pilot.
import { upstreamOf } from '../wire/flight/plan.ts';
import type { FlightNode, FlightPlan } from '../wire/flight/plan.ts';

/** An agent, and its step in the graph. */
export interface RankedNode {
  readonly node: FlightNode;
  /** From 1. Agents of the same step can run at the same time. */
  readonly step: number;
}

/** The agents in topological order. */
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

/** One line per agent: its step, its name, the agents that it waits for, and its other directives. */
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
