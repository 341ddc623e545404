// Ends a session in good order.
import { z } from 'zod';
import { defineOperation } from '../operation.ts';
import { agentAddress } from '../schema/address.ts';
import { confirmation } from '../schema/confirmation.ts';

export const sessionStop = defineOperation({
  name: 'session_stop',
  summary: "end an agent's session after the operation in progress",
  description:
    'Asks the agent to end after the turn in progress. The agent is then completed: its machine is destroyed and its last ' +
    'state is kept.',
  input: z.strictObject({ ...agentAddress }),
  output: confirmation,
  errors: ['INVALID_ARGUMENT', 'NOT_FOUND', 'FAILED_PRECONDITION'],
  hints: { readOnly: false, destructive: true, idempotent: true },
  access: 'change',
  to: {
    signal: 'stop',
    payload: (order) => order,
    answer: ({ slug }) => ({ slug, message: 'sent' }),
  },
  cli: {
    command: 'session stop',
    args: ['slug'],
    prints: 'sent',
    examples: [{ line: 'session stop fix-auth', says: 'it completes' }],
  },
});
