// Sets what an agent and everything beneath it may cost.
import { z } from 'zod';
import { defineOperation } from '../operation.ts';
import { agentAddress } from '../schema/address.ts';
import { budgetUsd, budgetView } from '../schema/cost.ts';

export const budget = defineOperation({
  name: 'budget',
  summary: 'set the cost limit of an agent and its descendants',
  description:
    'Sets the limit in US dollars, past costs included. Raising it continues agents that are parked at the limit. If the ' +
    'agent had no budget, the limit applies to a running turn from its next usage report. Only people can call this; ' +
    'agents cannot change a budget.',
  input: z.strictObject({
    ...agentAddress,
    max_cost_usd: budgetUsd.describe('The limit in US dollars, above 0.'),
  }),
  output: z.object({
    slug: z.string().describe('The agent, as it was named.'),
    budget: budgetView,
  }),
  errors: ['INVALID_ARGUMENT', 'PERMISSION_DENIED', 'NOT_FOUND', 'FAILED_PRECONDITION'],
  hints: { readOnly: false, destructive: false, idempotent: true },
  access: 'own',
  to: {
    update: 'setBudget',
    payload: (order, { max_cost_usd }) => ({ ...order, max_cost_usd }),
    answer: (budget, { slug }) => ({ slug, budget }),
  },
  cli: {
    command: 'budget',
    args: ['slug', 'max_cost_usd'],
    argNames: { max_cost_usd: 'usd' },
    examples: [{ line: 'budget fix-auth 5', says: 'at most $5 for the agent and its descendants' }],
  },
});
