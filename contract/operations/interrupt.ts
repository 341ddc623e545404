// Ends the running turn.
import { z } from 'zod';
import { defineOperation } from '../operation.ts';
import { agentAddress } from '../schema/address.ts';
import { confirmation } from '../schema/confirmation.ts';

export const interrupt = defineOperation({
  name: 'interrupt',
  summary: "stop an agent's current turn",
  description:
    'Stops the current turn and its running tools cleanly, and keeps the work done so far. Queued follow-ups ' +
    'run next. To redirect an agent, interrupt it and then add a follow-up.',
  input: z.strictObject({ ...agentAddress }),
  output: confirmation,
  errors: ['INVALID_ARGUMENT', 'NOT_FOUND', 'FAILED_PRECONDITION'],
  hints: { readOnly: false, destructive: true, idempotent: true },
  access: 'change',
  to: {
    signal: 'interrupt',
    payload: (order) => order,
    answer: ({ slug }) => ({ slug, message: `interrupt sent to ${slug}` }),
  },
  mcp: { required: ['slug'], text: 'message' },
  cli: {
    command: 'session interrupt',
    args: ['slug'],
    prints: 'sent',
    examples: [{ line: 'session interrupt fix-auth', says: 'queued follow-ups run next' }],
  },
});
