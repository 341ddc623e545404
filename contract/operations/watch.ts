// Streams what Murmur decides about an agent.
import { z } from 'zod';
import { defineOperation } from '../operation.ts';
import { agentAddress } from '../schema/address.ts';
import { fromEventId, lifecycleEntry } from '../schema/events.ts';

export const watch = defineOperation({
  name: 'watch',
  summary: "stream an agent's lifecycle events",
  description:
    'Streams phase changes, follow-ups, completed tasks, commits and pushes, each once and in order. Ends when the ' +
    'agent has ended. For the output of the agent program, use `session_watch`.',
  input: z.strictObject({ ...agentAddress, from: fromEventId }),
  output: lifecycleEntry,
  errors: ['INVALID_ARGUMENT', 'NOT_FOUND'],
  hints: { readOnly: true, destructive: false, idempotent: true },
  stream: 'events',
  access: 'read',
  cli: {
    command: 'watch',
    args: ['slug'],
    examples: [{ line: 'watch fix-auth', says: 'from the beginning, until it has ended' }],
  },
});
