// Prints a flight for people.
import type { Operations } from '../../contract/operations/index.ts';
import type { OutputOf } from '../../contract/operation.ts';
import { keyValues, table } from './table.ts';
import { stamp } from './time.ts';

type Flight = OutputOf<Operations['flight_status']>;
type FlightNode = Flight['nodes'][number];

/** Its state, and one line per agent. */
export function flightText(flight: Flight): string {
  const { name, pilot, state, max_concurrent: limit, nodes, finished_at: finished } = flight;
  const head = keyValues([
    ['flight', name],
    ['pilot', pilot],
    ['state', state],
    ['at once', limit?.toString()],
    ['finished', finished === undefined ? undefined : stamp(finished)],
  ]);
  return `${head}\n\n${table(['NODE', 'STATE', 'AGENT', 'ATTEMPT', 'WHAT'], nodes.flatMap(rowsOf))}`;
}

function rowsOf(node: FlightNode): readonly (readonly string[])[] {
  const { slug, state, agents } = node;
  if (agents.length === 0) return [[slug, state, '', '', waitsFor(node)]];
  return agents.map((agent, index) => [
    index === 0 ? slug : '',
    agents.length === 1 ? state : agent.state,
    agent.agent ?? '',
    agent.attempt.toString(),
    agent.reason ?? agent.response ?? '',
  ]);
}

function waitsFor({ needs, continues, each, state }: FlightNode): string {
  if (state === 'needs-items') return `the list of: ${each ?? ''}`;
  const upstream = continues === undefined ? (needs ?? []) : [continues];
  return upstream.length === 0 ? '' : `after ${upstream.join(', ')}`;
}
