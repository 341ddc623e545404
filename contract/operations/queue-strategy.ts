// Changes how queued follow-ups are delivered.
import { z } from 'zod';
import { defineOperation } from '../operation.ts';
import { agentAddress } from '../schema/address.ts';
import { quoteValue } from '../schema/quote.ts';
import { DEQUEUE_STRATEGIES } from '../wire/agent.ts';

export const queueStrategy = defineOperation({
  name: 'queue_strategy',
  summary: 'set how many queued follow-ups one turn takes',
  description: 'Sets the dequeue strategy of a living agent, from its next turn on.',
  input: z.strictObject({
    ...agentAddress,
    strategy: z
      .enum(DEQUEUE_STRATEGIES, {
        error: (issue) =>
          issue.input === undefined ? 'strategy required' : `invalid strategy ${quoteValue(issue.input)}`,
      })
      .describe('`all` drains the queue in one turn, `one` takes one per turn, `five` up to five.'),
  }),
  output: z.object({
    slug: z.string().describe('The agent, as it was named.'),
    strategy: z.enum(DEQUEUE_STRATEGIES).describe('The new strategy.'),
  }),
  errors: ['INVALID_ARGUMENT', 'NOT_FOUND', 'FAILED_PRECONDITION'],
  hints: { readOnly: false, destructive: false, idempotent: true },
  access: 'change',
  to: {
    update: 'setStrategy',
    payload: (order, { strategy }) => ({ ...order, strategy }),
    answer: ({ strategy }, { slug }) => ({ slug, strategy }),
  },
  cli: {
    command: 'queue strategy',
    args: ['slug', 'strategy'],
    refusals: { strategy: 'invalid strategy' },
    prints: 'dequeue strategy set to {strategy} for {slug}',
    examples: [{ line: 'queue strategy fix-auth one', says: 'one follow-up per turn' }],
  },
});
