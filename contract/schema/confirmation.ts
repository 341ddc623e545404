// The answer of operations that only send a message.
import { z } from 'zod';

/** What was done, and for which agent. */
export const confirmation = z.object({
  slug: z.string().describe('The agent, as it was named.'),
  message: z.string().describe('What was done.'),
});
