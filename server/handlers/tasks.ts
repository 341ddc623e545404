// Reads an agent's checklist for people and agents.
import { taskViewOf } from '../../contract/schema/task.ts';
import { MurmurError } from '../../contract/wire/errors.ts';
import type { Task } from '../../contract/wire/tasks.ts';
import { readTasks } from '../../agents/tasks.ts';
import { addressOf } from '../address.ts';
import { queryAgent } from '../../agents/messages.ts';
import type { Handler } from '../handler.ts';

export const taskList: Handler<'task_list'> = async (parts, input, call) => {
  const tasks = await readTasks(parts, addressOf(parts, call, input));
  const shown = tasks.filter((task) => task.status !== 'deleted');
  return (input.active ? shown.filter(keepsFromIdling) : shown).map(taskViewOf);
};

export const taskGet: Handler<'task_get'> = async (parts, input, call) => {
  const agent = addressOf(parts, call, input);
  const reply = await queryAgent(parts, agent, 'taskGet', { task_id: input.task_id });
  if (reply.kind === 'answer') return taskViewOf(reply.answer);
  // An agent only rejects unknown ids here.
  const task =
    reply.kind === 'refused' ? undefined : (await readTasks(parts, agent)).find(({ id }) => id === input.task_id);
  if (task !== undefined) return taskViewOf(task);
  throw new MurmurError(
    'NOT_FOUND',
    `agent ${JSON.stringify(agent.path)} has no task ${JSON.stringify(input.task_id)}`,
    {
      hint: 'list the tasks with `murmur task ls`',
      details: { slug: agent.slug, path: agent.path, task_id: input.task_id },
    },
  );
};

function keepsFromIdling(task: Task): boolean {
  return !task.dormant && (task.status === 'pending' || task.status === 'in_progress');
}
