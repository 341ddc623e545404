// Changes a checklist task.
import { z } from 'zod';
import { defineOperation } from '../operation.ts';
import { agentAddress } from '../schema/address.ts';
import { taskId, taskStatusInput, taskView, taskViewOf } from '../schema/task.ts';
import { taskSubject } from '../schema/text.ts';
import { defined } from '../wire/defined.ts';

const CHANGES = ['status', 'subject', 'description', 'add_blocks', 'add_blocked_by'] as const;

export const taskUpdate = defineOperation({
  name: 'task_update',
  summary: 'change a checklist task',
  description: 'Changes the fields that are given and returns the whole task. A deleted task leaves the list.',
  input: z
    .strictObject({
      ...agentAddress,
      task_id: taskId.describe('Id of the task to update.'),
      status: taskStatusInput
        .optional()
        .describe('New status: pending, in_progress, done, skipped or deleted; `completed` means done.'),
      subject: taskSubject.optional().describe('New subject.'),
      description: z
        .string()
        .max(16_384, 'description has at most 16384 characters')
        .optional()
        .describe('New description.'),
      add_blocks: z.array(taskId).max(100, 'at most 100 ids').optional().describe('Ids of tasks that this one blocks.'),
      add_blocked_by: z
        .array(taskId)
        .max(100, 'at most 100 ids')
        .optional()
        .describe('Ids of tasks that block this one.'),
    })
    .superRefine((input, context) => {
      if (CHANGES.every((field) => input[field] === undefined)) {
        context.addIssue(`nothing to change: give one of ${CHANGES.join(', ')}`);
      }
    }),
  output: taskView,
  errors: ['INVALID_ARGUMENT', 'NOT_FOUND', 'FAILED_PRECONDITION'],
  hints: { readOnly: false, destructive: false, idempotent: true },
  access: 'change',
  to: {
    update: 'taskUpdate',
    payload: (_order, { slug: _slug, workspace: _workspace, task_id, ...change }) => ({ task_id, ...defined(change) }),
    answer: taskViewOf,
  },
  mcp: {},
  cli: {
    command: 'task update',
    args: ['slug', 'task_id'],
    refusals: { status: 'unknown task status' },
    flags: {
      status: { char: 's' },
      description: { char: 'd' },
      add_blocks: { name: 'blocks', help: 'Comma-separated ids of tasks that this one blocks.' },
      add_blocked_by: { name: 'blocked-by', help: 'Comma-separated ids of tasks that block this one.' },
    },
    prints: '{id} {status}',
    examples: [
      { line: 'task update fix-auth 1 -s done', says: 'marks it done' },
      { line: 'task update fix-auth 2 --blocked-by 1', says: 'task 2 waits for task 1' },
    ],
  },
});
