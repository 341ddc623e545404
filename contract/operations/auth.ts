// Says who the caller is.
import { z } from 'zod';
import { defineOperation } from '../operation.ts';

export const auth = defineOperation({
  name: 'auth',
  summary: 'show who you are to Murmur',
  description: 'Returns the account that the token acts for, the source of the token and its expiry.',
  input: z.strictObject({}),
  output: z.object({
    account: z.string().describe('Account whose agents a plain slug names.'),
    agent: z.string().optional().describe('Absolute path of the agent whose token it is; absent for a person.'),
    rights: z.enum(['owner']).optional().describe('Set if the agent can steer all agents of its owner.'),
    workspace: z.string().describe('Workspace of calls that name none.'),
    token: z.object({
      source: z.string().describe('Source of the token.'),
      created_at: z.string().describe('ISO 8601.'),
      expires_at: z.string().optional().describe('ISO 8601; absent when it does not expire.'),
    }),
  }),
  errors: [],
  hints: { readOnly: true, destructive: false, idempotent: true },
  cli: {
    command: 'auth',
    args: [],
    examples: [{ line: 'auth', says: 'identity, token source and expiry' }],
  },
});
