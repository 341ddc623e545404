// The checklist of a living or ended agent.
import type { Task } from '../contract/wire/tasks.ts';
import { describeExecution, notFound } from './find.ts';
import { queryAgent } from './messages.ts';
import type { AgentAddress } from './names.ts';
import type { AgentPlatform } from './platform.ts';
import { readRecord } from './record.ts';
import { noWorker } from './temporal.ts';

/** Its tasks, including deleted ones. Throws NOT_FOUND, and UNAVAILABLE when no worker answers. */
export async function readTasks(platform: AgentPlatform, agent: AgentAddress): Promise<readonly Task[]> {
  const reply = await queryAgent(platform, agent, 'taskList', {});
  if (reply.kind === 'answer') return reply.answer;
  const record = await readRecord(platform, agent.id);
  if (record !== undefined) return record.tasks;
  const execution = await describeExecution(platform, agent);
  if (execution === undefined) throw notFound(agent);
  if (execution.closed) return [];
  throw noWorker(reply);
}
