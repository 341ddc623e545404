// Gives a flight the list that an `each` agent runs over.
import { z } from 'zod';
import { defineOperation } from '../operation.ts';
import { agentAddress } from '../schema/address.ts';
import { flightNode } from '../schema/flight.ts';
import { ITEM_LENGTH, ITEM_LIMIT } from '../wire/flight/plan.ts';

export const flightItems = defineOperation({
  name: 'flight_items',
  summary: 'give a flight the list of an `each` agent',
  description:
    'Sets the list that an agent with `each` waits for; one agent runs for each item. The flight asks its pilot for the ' +
    'list; a person can answer instead. Sending the same list again changes nothing; a different list is refused.',
  input: z.strictObject({
    ...agentAddress,
    node: flightNode,
    items: z
      .array(z.string())
      .max(ITEM_LIMIT, `at most ${String(ITEM_LIMIT)} items`)
      .default([])
      .describe(
        `The items, each a name or path of at most ${String(ITEM_LENGTH)} characters on one line. An empty list means ` +
          'that there is no work.',
      ),
  }),
  output: z.object({
    node: z.string().describe('The agent, as the flight names it.'),
    count: z.number().int().describe('Number of items; equal items count once.'),
  }),
  errors: ['INVALID_ARGUMENT', 'NOT_FOUND', 'FAILED_PRECONDITION'],
  hints: { readOnly: false, destructive: false, idempotent: true },
  access: 'change',
  to: {
    flight: 'items',
    payload: (order, { node, items }) => ({ ...order, node, items }),
    answer: ({ count }, { node }) => ({ node, count }),
  },
  mcp: { required: ['items'] },
  cli: {
    command: 'flight items',
    args: ['slug', 'node'],
    flags: { items: { name: 'item', help: 'An item of the list; repeatable. Without items, there is no work.' } },
    prints: '{count} items for {node}',
    examples: [{ line: 'flight items flight-audit module --item web --item api', says: 'two agents start' }],
  },
});
