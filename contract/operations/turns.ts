// Lists an agent's turns.
import { z } from 'zod';
import { defineOperation } from '../operation.ts';
import { agentAddress } from '../schema/address.ts';
import { turnView } from '../schema/events.ts';

export const turns = defineOperation({
  name: 'turns',
  summary: "list an agent's turns",
  description:
    'Lists the turns of an agent, living or ended: start and end of each turn, its inputs, its answer and the reason of a ' +
    'failure.',
  input: z.strictObject({ ...agentAddress }),
  output: z.array(turnView),
  errors: ['INVALID_ARGUMENT', 'NOT_FOUND'],
  hints: { readOnly: true, destructive: false, idempotent: true },
  access: 'read',
  cli: {
    command: 'turns',
    args: ['slug'],
    examples: [{ line: 'turns fix-auth', says: 'one block per turn' }],
  },
});
