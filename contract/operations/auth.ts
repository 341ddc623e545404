// Says who the caller is.
import { z } from 'zod';
import { defineOperation } from '../operation.ts';

export const auth = defineOperation({
  name: 'auth',
  summary: 'show who you are to Murmur',
  description: 'Returns the account that the token stands for, where the server knows it from and when it expires.',
  input: z.strictObject({}),
  output: z.object({
    account: z.string().describe('Account whose agents a plain slug means.'),
    agent: z.string().optional().describe('Absolute path of the agent whose token it is; absent for a person.'),
    rights: z.enum(['owner']).optional().describe('Set when the agent may steer all agents of its owner.'),
    workspace: z.string().describe('Workspace that is used when none is named.'),
    token: z.object({
      source: z.string().describe('Where the server knows the token from.'),
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
