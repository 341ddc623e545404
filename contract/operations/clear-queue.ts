// Discards queued follow-ups.
import { z } from 'zod';
import { defineOperation } from '../operation.ts';
import { agentAddress } from '../schema/address.ts';

export const clearQueue = defineOperation({
  name: 'clear_queue',
  summary: 'discard all queued follow-ups of an agent',
  description: 'Discards every follow-up in the queue, undelivered. Returns their number.',
  input: z.strictObject({ ...agentAddress }),
  output: z.object({ cleared: z.number().int().describe('Number of follow-ups that were discarded.') }),
  errors: ['INVALID_ARGUMENT', 'NOT_FOUND', 'FAILED_PRECONDITION'],
  hints: { readOnly: false, destructive: true, idempotent: true },
  access: 'change',
  to: {
    update: 'clearQueue',
    payload: (order) => order,
    answer: (reply) => reply,
  },
  mcp: { text: 'cleared' },
  cli: {
    command: 'queue clear',
    args: ['slug'],
    prints: 'cleared {cleared}',
    examples: [{ line: 'queue clear fix-auth', says: 'the queue is empty' }],
  },
});
