// Money and tokens.
import { z } from 'zod';

const modelUsage = z.object({
  input_tokens: z.number().describe('Tokens read, without those from the cache.'),
  output_tokens: z.number().describe('Tokens written.'),
  cache_read_tokens: z.number().describe('Tokens read from the prompt cache.'),
  cache_write_tokens: z.number().describe('Tokens written to the prompt cache.'),
  usd: z.number().describe('US dollars.'),
});

/** Usage per model name. */
export const usageByModel = z.record(z.string(), modelUsage).describe('Usage per model.');

/** A limit in US dollars, as the input of a person. */
export const budgetUsd = z
  .number({ error: (issue) => (issue.input === undefined ? 'amount required' : 'a budget is an amount in US dollars') })
  .positive('a budget is an amount above 0')
  .max(1_000_000, 'a budget is at most 1000000 US dollars');

/** The budget of an agent and everything beneath it. */
export const budgetView = z.object({
  limit_usd: z.number().optional().describe("The agent's own limit for itself and everything beneath it."),
  allowance_usd: z
    .number()
    .optional()
    .describe('What its parent has granted so far from a budget above it; renewed while that budget has money.'),
  used_usd: z.number().describe('Used so far, including the running turn.'),
  granted_usd: z.number().describe('Granted to its living children, including what they have used.'),
});

/** The cost that a turn added. */
export const costDelta = z.object({ usd: z.number().describe('US dollars.'), by_model: usageByModel });

/** The cost of an agent so far. */
export const costTotal = z
  .object({
    total_usd: z.number().describe('US dollars so far, of the agent and everything beneath it.'),
    own_usd: z.number().describe('Of the agent alone.'),
    children_usd: z.number().describe('Of everything beneath it, as of the last message of each child.'),
    by_model: usageByModel.describe("The agent's own usage per model."),
  })
  .describe('Accumulated cost, with its breakdown.');
