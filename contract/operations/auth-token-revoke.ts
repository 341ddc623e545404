// Ends a token of the caller's.
import { z } from 'zod';
import { defineOperation } from '../operation.ts';

export const authTokenRevoke = defineOperation({
  name: 'auth_token_revoke',
  summary: 'revoke one of your tokens',
  description: 'Revokes a token. Murmur refuses it from the next request on.',
  input: z.strictObject({
    id: z.string().min(1, 'id required').describe('Id of the token, as `auth token ls` shows it.'),
  }),
  output: z.object({ id: z.string(), message: z.string().describe('`revoked <id>`.') }),
  errors: ['INVALID_ARGUMENT', 'NOT_FOUND', 'PERMISSION_DENIED'],
  hints: { readOnly: false, destructive: true, idempotent: true },
  access: 'own',
  cli: {
    command: 'auth token revoke',
    args: ['id'],
    prints: '{message}',
    examples: [{ line: 'auth token revoke token-8f3a1b2c', says: 'refused from now on' }],
  },
});
