// Makes a token for another program or machine of the caller's.
import { z } from 'zod';
import { defineOperation } from '../operation.ts';
import { duration } from '../schema/duration.ts';

export const authTokenCreate = defineOperation({
  name: 'auth_token_create',
  summary: 'create a token for your other programs or machines',
  description:
    'Creates a token that acts for you. It is shown once, because Murmur keeps only its hash. Pass it to a program as ' +
    'MURMUR_TOKEN, together with MURMUR_API_URL.',
  input: z.strictObject({
    label: z
      .string()
      .max(100, 'a label has at most 100 characters')
      .optional()
      .describe('Purpose of the token, shown in the list.'),
    expires_in: duration.optional().describe('Lifetime, such as `12h` or `30d`. Default: until it is revoked.'),
  }),
  output: z.object({
    id: z.string().describe('Id of the token, to revoke it.'),
    token: z.string().describe('The token itself.'),
    expires_at: z.string().optional().describe('ISO 8601; absent when it does not expire.'),
  }),
  errors: ['INVALID_ARGUMENT', 'PERMISSION_DENIED'],
  hints: { readOnly: false, destructive: false, idempotent: false },
  access: 'own',
  cli: {
    command: 'auth token create',
    args: [],
    examples: [{ line: 'auth token create --label ci --expires-in 30d', says: 'prints the token' }],
  },
});
