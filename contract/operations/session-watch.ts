// Streams what an agent says and does.
import { z } from 'zod';
import { defineOperation } from '../operation.ts';
import { agentAddress } from '../schema/address.ts';
import { fromEventId, sessionEntry } from '../schema/events.ts';

export const sessionWatch = defineOperation({
  name: 'session_watch',
  summary: 'stream what an agent says and does',
  description:
    "Streams the session: the agent's text, its tool calls and their results, turns, errors and cost, each once and in " +
    'order. Ends when the agent has ended.',
  input: z.strictObject({ ...agentAddress, from: fromEventId }),
  output: sessionEntry,
  errors: ['INVALID_ARGUMENT', 'NOT_FOUND'],
  hints: { readOnly: true, destructive: false, idempotent: true },
  stream: 'events',
  access: 'read',
  cli: {
    command: 'session watch',
    args: ['slug'],
    examples: [{ line: 'session watch fix-auth', says: 'live' }],
  },
});
