// Checklist tasks in inputs and outputs.
import { z } from 'zod';
import { parseTaskStatus, TASK_STATUSES } from '../wire/tasks.ts';
import type { Task } from '../wire/tasks.ts';
import { quoteValue } from './quote.ts';
import { OTHER_SPELLINGS } from './spellings.ts';

/** A status in any accepted spelling: `completed` is `done`, and TASK_STATUS_… forms are accepted. */
export const taskStatusInput = z
  .preprocess(
    (value) => (typeof value === 'string' ? (parseTaskStatus(value) ?? value) : value),
    z.enum(TASK_STATUSES, { error: (issue) => `unknown task status ${quoteValue(issue.input)}` }),
  )
  .meta(OTHER_SPELLINGS);

/** One checklist item; fields without a value are absent. */
export const taskView = z
  .object({
    id: z.string().describe("The task's id, for task_update and task_get."),
    subject: z.string().describe('Short summary of the task.'),
    description: z.string().optional().describe('What to do, in detail.'),
    status: z.enum(TASK_STATUSES).describe('Status of the task.'),
    blocks: z.array(z.string()).optional().describe('Ids of tasks that wait for this one.'),
    blocked_by: z.array(z.string()).optional().describe('Ids of tasks that this one waits for.'),
    activation: z
      .string()
      .optional()
      .describe('`files_modified:<glob>`: the task is dormant until a turn changes a matching file.'),
    dormant: z.boolean().optional().describe('True while the activation has not fired; the agent may idle then.'),
  })
  .describe('A checklist task.');

/** The task as callers see it. */
export function taskViewOf(task: Task) {
  const { id, subject, description, status, blocks, blocked_by, activation, dormant } = task;
  return {
    id,
    subject,
    ...(description === undefined ? {} : { description }),
    status,
    ...(blocks.length === 0 ? {} : { blocks }),
    ...(blocked_by.length === 0 ? {} : { blocked_by }),
    ...(activation === undefined ? {} : { activation: `${activation.condition}:${activation.pattern}` }),
    ...(dormant ? { dormant: true } : {}),
  };
}

/** A task's id in an input. */
export const taskId = z
  .string({ error: (issue) => (issue.input === undefined ? 'task_id required' : 'task_id must be a string') })
  .min(1, 'task_id required')
  .max(100, 'a task id has at most 100 characters');
