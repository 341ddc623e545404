// History events per turn.
import { followUp, idle, residentAgent } from '../laboratory/agent.ts';
import { settledLength } from '../laboratory/history.ts';
import type { Laboratory } from '../laboratory/laboratory.ts';
import type { Measure, Trial } from '../measure.ts';
import { everyAtMost } from '../target.ts';

/** Growth of the history by a follow-up to an idle agent. The floor is a signal that starts one activity. */
export const history: Measure = {
  name: 'history',
  title: 'history events per turn',
  unit: 'events',
  samples: { full: 10, quick: 3 },
  warmUps: 1,
  target: everyAtMost(15, 'events'),
  timeoutMs: 60_000,
  open,
};

async function open(laboratory: Laboratory): Promise<Trial> {
  const { client } = laboratory.temporal;
  const resident = residentAgent(laboratory);
  const bareId = laboratory.name('bare-history');
  const { taskQueue } = laboratory.bare;
  const bare = await client.workflow.start('resident', { taskQueue, workflowId: bareId, args: [] });
  return {
    floor: async () => {
      const before = await settledLength(client, bareId);
      await bare.signal('order', { activity: 'nothing' });
      return (await settledLength(client, bareId, before)) - before;
    },
    ours: async () => {
      const stack = laboratory.stack();
      const agent = await resident.get();
      const before = await settledLength(stack.temporal, agent.workflowId);
      const prompt = laboratory.model.script([{ text: 'done' }]);
      await followUp(stack, agent, prompt);
      await prompt.requested();
      await idle(stack, agent);
      return (await settledLength(stack.temporal, agent.workflowId, before)) - before;
    },
    close: async () => {
      await bare.signal('order', { activity: 'end' });
      await resident.close();
    },
  };
}
