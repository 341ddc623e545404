// Sends a message past the queue.
import { z } from 'zod';
import { defineOperation } from '../operation.ts';
import { agentAddress } from '../schema/address.ts';
import { confirmation } from '../schema/confirmation.ts';
import { message } from '../schema/text.ts';

export const sessionSend = defineOperation({
  name: 'session_send',
  summary: "send a message to an agent's session, past the queue",
  description:
    'Sends a message that bypasses the queue. It starts a separate turn as soon as the current turn completes, and wakes ' +
    'an idle agent. `clear_queue` does not discard it.',
  input: z.strictObject({
    ...agentAddress,
    message: message('message').describe('The message, as the agent reads it.'),
  }),
  output: confirmation,
  errors: ['INVALID_ARGUMENT', 'NOT_FOUND', 'FAILED_PRECONDITION'],
  hints: { readOnly: false, destructive: false, idempotent: false },
  access: 'message',
  to: {
    followUp: 'send',
    text: (input) => input.message,
    answer: ({ slug }) => ({ slug, message: 'sent' }),
  },
  cli: {
    command: 'session send',
    args: ['slug', 'message'],
    rest: 'message',
    prints: 'sent',
    examples: [{ line: 'session send fix-auth "Also add a test for the token refresh case"', says: 'delivered next' }],
  },
});
