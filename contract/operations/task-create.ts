// Adds a checklist task.
import { z } from 'zod';
import { defineOperation } from '../operation.ts';
import { agentAddress } from '../schema/address.ts';
import { quoteValue } from '../schema/quote.ts';
import { taskSubject } from '../schema/text.ts';
import { defined } from '../wire/defined.ts';

export const taskCreate = defineOperation({
  name: 'task_create',
  summary: "add a task to an agent's checklist",
  description:
    'Adds a task. Open tasks keep the agent from idling; a conditional one is dormant until a turn changes a file that ' +
    'matches its pattern.',
  input: z
    .strictObject({
      ...agentAddress,
      subject: taskSubject.describe('Short summary of the task.'),
      description: z
        .string()
        .max(16_384, 'description has at most 16384 characters')
        .optional()
        .describe('Detailed task description.'),
      activate_when: z
        .enum(['files_modified'], {
          error: (issue) => `unknown activation ${quoteValue(issue.input)}: only files_modified is known`,
        })
        .optional()
        .describe('Condition that activates the task, which is dormant until then. Needs `pattern`.'),
      pattern: z
        .string()
        .min(1, 'pattern required')
        .max(1_000, 'pattern has at most 1000 characters')
        .optional()
        .describe('Glob of file paths, such as `*.go` or `**/*_test.go`. Only with `activate_when`.'),
    })
    .superRefine((input, context) => {
      if (input.activate_when !== undefined && input.pattern === undefined) {
        context.addIssue({ code: 'custom', path: ['pattern'], message: 'pattern required with activate_when' });
      }
      if (input.activate_when === undefined && input.pattern !== undefined) {
        context.addIssue({ code: 'custom', path: ['pattern'], message: 'pattern is only used with activate_when' });
      }
    }),
  output: z.object({ task_id: z.string().describe('Id of the new task, for task_update and task_get.') }),
  errors: ['INVALID_ARGUMENT', 'NOT_FOUND', 'FAILED_PRECONDITION'],
  hints: { readOnly: false, destructive: false, idempotent: false },
  access: 'change',
  to: {
    update: 'taskCreate',
    payload: (_order, { slug: _slug, workspace: _workspace, subject, ...more }) => ({ subject, ...defined(more) }),
    answer: ({ id }) => ({ task_id: id }),
  },
  mcp: {},
  cli: {
    command: 'task create',
    args: ['slug', 'subject'],
    rest: 'subject',
    flags: { description: { char: 'd' } },
    prints: '{task_id}',
    examples: [
      { line: 'task create fix-auth "Add a regression test"', says: 'prints its id' },
      {
        line: "task create fix-auth --activate-when files_modified --pattern '**/*.go' Run the Go tests",
        says: 'dormant until a Go file changes',
      },
    ],
  },
});
