// Shows the state of one agent.
import { z } from 'zod';
import { defineOperation } from '../operation.ts';
import { agentAddress } from '../schema/address.ts';
import { agentStatus } from '../schema/status.ts';
import { quoteValue } from '../schema/quote.ts';
import { TIMELINE_TYPES } from '../wire/events.ts';

export const status = defineOperation({
  name: 'status',
  summary: "show an agent's state",
  description:
    "Shows an agent's phase, progress, queue, branches, checklist count and cost, living or ended. When no worker " +
    'answers within 2 seconds it shows what Temporal lists and says so in `stale`.',
  input: z.strictObject({
    ...agentAddress,
    children: z.boolean().default(false).describe('Include its children, each with phase, last answer and cost.'),
    timeline: z
      .array(z.enum(TIMELINE_TYPES, { error: (issue) => `unknown timeline type ${quoteValue(issue.input)}` }))
      .optional()
      .describe('Timeline event types to include, in order of time. Absent: no timeline.'),
  }),
  output: agentStatus,
  errors: ['INVALID_ARGUMENT', 'NOT_FOUND'],
  hints: { readOnly: true, destructive: false, idempotent: true },
  access: 'read',
  mcp: { required: ['slug'] },
  cli: {
    command: 'status',
    args: ['slug'],
    flags: { timeline: { help: 'Include the timeline: all types, or a comma-separated list of them.' } },
    examples: [
      { line: 'status fix-auth', says: 'its current state' },
      { line: 'status fix-auth --timeline', says: 'with its timeline' },
    ],
  },
});
