// Cancels an agent.
import { z } from 'zod';
import { defineOperation } from '../operation.ts';
import { agentAddress } from '../schema/address.ts';
import { phaseName } from '../schema/phase.ts';
import { receiptLine } from '../schema/status.ts';

export const kill = defineOperation({
  name: 'kill',
  summary: 'cancel an agent and its descendants',
  description:
    'Ends the running turn, takes a last snapshot, destroys the machine and waits until that is done; unpushed work is ' +
    'kept only in the snapshot. Killing an agent that has ended changes nothing and returns the receipt again.',
  input: z.strictObject({ ...agentAddress }),
  output: z.object({
    slug: z.string().describe('The agent, as it was named.'),
    message: z.string().describe('`killed <slug>`.'),
    receipt: z.array(receiptLine).describe('Every agent that was ended, with its machine.'),
    cost_usd: z.number().describe('Total cost of the ended agents.'),
  }),
  progress: z.object({ phase: phaseName, note: z.string().optional().describe('What the call waits for.') }),
  errors: ['INVALID_ARGUMENT', 'NOT_FOUND', 'DEADLINE_EXCEEDED'],
  hints: { readOnly: false, destructive: true, idempotent: true },
  stream: 'result',
  access: 'change',
  mcp: { required: ['slug'], text: 'message' },
  cli: {
    command: 'kill',
    args: ['slug'],
    examples: [{ line: 'kill fix-auth', says: 'and destroys its machine' }],
  },
});
