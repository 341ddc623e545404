// Lists the caller's tokens.
import { z } from 'zod';
import { defineOperation } from '../operation.ts';

export const authTokenLs = defineOperation({
  name: 'auth_token_ls',
  summary: 'list your tokens',
  description: 'Lists the tokens that you created, without their values. Tokens of agents are not listed.',
  input: z.strictObject({}),
  output: z.array(
    z.object({
      id: z.string().describe('Id of the token.'),
      label: z.string().optional(),
      created_at: z.string().describe('ISO 8601.'),
      expires_at: z.string().optional().describe('ISO 8601; absent when it does not expire.'),
    }),
  ),
  errors: ['PERMISSION_DENIED'],
  hints: { readOnly: true, destructive: false, idempotent: true },
  access: 'own',
  cli: { command: 'auth token ls', args: [], examples: [{ line: 'auth token ls', says: 'ids, labels and expiry' }] },
});
