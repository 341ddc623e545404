// Lists an agent's checklist.
import { z } from 'zod';
import { defineOperation } from '../operation.ts';
import { agentAddress } from '../schema/address.ts';
import { taskView } from '../schema/task.ts';

export const taskList = defineOperation({
  name: 'task_list',
  summary: "list an agent's checklist",
  description: 'Lists all tasks that are not deleted, of a living or ended agent. An empty checklist is `[]`.',
  input: z.strictObject({
    ...agentAddress,
    active: z
      .boolean()
      .default(false)
      .describe('Only tasks that keep the agent from idling: neither done, skipped nor dormant.'),
  }),
  output: z.array(taskView),
  errors: ['INVALID_ARGUMENT', 'NOT_FOUND'],
  hints: { readOnly: true, destructive: false, idempotent: true },
  access: 'read',
  mcp: { result: 'tasks' },
  cli: {
    command: 'task ls',
    args: ['slug'],
    examples: [{ line: 'task ls fix-auth --active', says: 'the open tasks' }],
  },
});
