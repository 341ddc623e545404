// Shows one checklist task.
import { z } from 'zod';
import { defineOperation } from '../operation.ts';
import { agentAddress } from '../schema/address.ts';
import { taskId, taskView } from '../schema/task.ts';

export const taskGet = defineOperation({
  name: 'task_get',
  summary: 'show one checklist task',
  description: 'Returns the task with its dependencies. Deleted tasks are returned too.',
  input: z.strictObject({ ...agentAddress, task_id: taskId.describe('Id of the task to show.') }),
  output: taskView,
  errors: ['INVALID_ARGUMENT', 'NOT_FOUND'],
  hints: { readOnly: true, destructive: false, idempotent: true },
  access: 'read',
  mcp: {},
  cli: {
    command: 'task get',
    args: ['slug', 'task_id'],
    examples: [{ line: 'task get fix-auth 1', says: 'all its fields' }],
  },
});
