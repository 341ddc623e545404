// Adds a follow-up to an agent's queue.
import { z } from 'zod';
import { defineOperation } from '../operation.ts';
import { agentAddress } from '../schema/address.ts';
import { confirmation } from '../schema/confirmation.ts';
import { message, taskSubjects } from '../schema/text.ts';

export const queueAdd = defineOperation({
  name: 'queue_add',
  summary: 'send a follow-up to a running agent',
  description:
    "Queues a follow-up. It is delivered between turns, by the agent's dequeue strategy, and starts a turn when the " +
    'agent is idle. Once confirmed it is not lost. Fails when the agent has ended.',
  input: z.strictObject({
    ...agentAddress,
    description: message('description').describe('Follow-up message, as the agent will read it.'),
    tasks: taskSubjects.describe("Checklist items to add to the agent's task list."),
  }),
  output: confirmation,
  errors: ['INVALID_ARGUMENT', 'NOT_FOUND', 'FAILED_PRECONDITION'],
  hints: { readOnly: false, destructive: false, idempotent: false },
  access: 'message',
  to: {
    followUp: 'queue',
    text: ({ description }) => description,
    tasks: ({ tasks }) => tasks,
    answer: ({ slug }) => ({ slug, message: `follow-up sent to ${slug}` }),
  },
  mcp: { required: ['slug'], text: 'message' },
  cli: {
    command: 'queue add',
    args: ['slug', 'description'],
    rest: 'description',
    flags: { tasks: { name: 'task', help: 'Checklist item to add; repeatable.' } },
    prints: 'Follow-up sent to {slug}',
    examples: [
      { line: 'queue add fix-auth "Also fix the session expiry logic"', says: 'delivered after the current turn' },
      {
        line: 'queue add fix-auth --task "Update the API docs" Two more things',
        says: 'with a checklist item',
      },
    ],
  },
});
