// Tells an agent something without asking it to act.
import { z } from 'zod';
import { defineOperation } from '../operation.ts';
import { agentAddress } from '../schema/address.ts';
import { confirmation } from '../schema/confirmation.ts';
import { message } from '../schema/text.ts';

export const notify = defineOperation({
  name: 'notify',
  summary: 'send an agent a notice, without starting a turn',
  description:
    'Sends a notice. The timeline shows it at once, and the agent reads it with its next turn. It neither interrupts nor ' +
    'wakes the agent. Fails if the agent has ended.',
  input: z.strictObject({
    ...agentAddress,
    message: message('message').describe('The notice, as the agent reads it.'),
  }),
  output: confirmation,
  errors: ['INVALID_ARGUMENT', 'NOT_FOUND', 'FAILED_PRECONDITION'],
  hints: { readOnly: false, destructive: false, idempotent: false },
  access: 'message',
  to: {
    followUp: 'notify',
    text: (input) => input.message,
    answer: ({ slug }) => ({ slug, message: `notified ${slug === '' ? 'self' : slug}` }),
  },
  cli: {
    command: 'notify',
    args: ['slug', 'message'],
    rest: 'message',
    prints: '{message}',
    examples: [{ line: 'notify fix-auth "The staging database is down until noon"', says: 'read with its next turn' }],
  },
});
