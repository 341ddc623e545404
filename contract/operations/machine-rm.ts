// Ends a machine that no living agent owns.
import { z } from 'zod';
import { defineOperation } from '../operation.ts';

export const machineRm = defineOperation({
  name: 'machine_rm',
  summary: 'end a machine that no living agent owns',
  description:
    'Ends an orphaned or unowned machine as the end of its agent does: the runner stops, a last snapshot is taken if it ' +
    'can be, the machine is destroyed and the agent gets a record. A machine whose agent lives, or is ending, is refused: ' +
    '`murmur kill` ends the agent. One that somebody is ending already is refused as well. For people only.',
  input: z.strictObject({
    name: z
      .string({ error: (issue) => (issue.input === undefined ? 'name required' : 'name must be a string') })
      .min(1, 'name required')
      .describe('Name of the machine, as `machine ls` shows it.'),
  }),
  output: z.object({
    name: z.string(),
    provider: z.string().describe('Who provided it.'),
    host: z.string().optional().describe('Host on which it was; absent for this one.'),
    agent: z.string().optional().describe('Absolute path of its agent, if its labels name one.'),
    message: z.string().describe('What was done, and what is kept: `removed <name>; …`.'),
    snapshot: z.string().optional().describe("Key of the agent's newest snapshot; absent without a snapshot."),
    new_snapshot: z.boolean().describe('Whether that snapshot was taken now.'),
    problems: z
      .array(z.string())
      .describe('What hindered the end, or a last snapshot. The machine is destroyed all the same.'),
  }),
  errors: ['INVALID_ARGUMENT', 'NOT_FOUND', 'FAILED_PRECONDITION', 'PERMISSION_DENIED'],
  hints: { readOnly: false, destructive: true, idempotent: true },
  access: 'own',
  cli: {
    command: 'machine rm',
    args: ['name'],
    prints: '{message}',
    examples: [{ line: 'machine rm murmur-8f3a1b2c', says: 'with a last snapshot, if its runner answers' }],
  },
});
