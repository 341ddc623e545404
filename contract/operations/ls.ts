// Lists agents.
import { z } from 'zod';
import { defineOperation } from '../operation.ts';
import { workspaceName } from '../schema/address.ts';
import { agentSummary } from '../schema/status.ts';

export const ls = defineOperation({
  name: 'ls',
  summary: 'list agents',
  description:
    'Lists your living agents in the workspace with phase, machine, last progress and cost. An empty list is `[]`.',
  input: z.strictObject({
    all: z.boolean().default(false).describe('Include ended agents too: completed, failed and canceled.'),
    developer: z
      .string()
      .optional()
      .describe("One developer's agents, or `*` for all developers. Empty or absent: yours."),
    workspace: workspaceName,
  }),
  output: z.array(agentSummary),
  errors: ['INVALID_ARGUMENT'],
  hints: { readOnly: true, destructive: false, idempotent: true },
  mcp: { result: 'agents' },
  cli: {
    command: 'ls',
    args: [],
    flags: { all: { char: 'a' } },
    examples: [
      { line: 'ls', says: 'your living agents' },
      { line: 'ls -a', says: 'with ended agents' },
    ],
  },
});
