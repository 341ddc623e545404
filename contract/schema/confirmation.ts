// The answer of operations that only hand something over.
import { z } from 'zod';

/** What was done, in the product's words, and for which agent. */
export const confirmation = z.object({
  slug: z.string().describe('The agent, as it was named.'),
  message: z.string().describe('What was done.'),
});
