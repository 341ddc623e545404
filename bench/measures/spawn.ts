// From spawn to the first model request.
import path from 'node:path';
import type { StartInput } from '../bare/workflows.ts';
import { now } from '../clock.ts';
import { idle, killAgent, spawnAgent } from '../laboratory/agent.ts';
import { claudeOptions } from '../laboratory/bare-agent.ts';
import { countHistory } from '../laboratory/history.ts';
import type { Laboratory } from '../laboratory/laboratory.ts';
import type { Measure, Trial } from '../measure.ts';
import { ratioAtMost } from '../target.ts';

/** From the call of the operation to the arrival of the first request at the model, with a repository to clone. */
export const spawn: Measure = {
  name: 'spawn',
  title: 'spawn → first model request',
  unit: 'ms',
  samples: { full: 15, quick: 3 },
  warmUps: 1,
  target: ratioAtMost(1.35),
  timeoutMs: 60_000,
  open,
};

function open(laboratory: Laboratory): Promise<Trial> {
  const { client } = laboratory.temporal;
  /** Read from the product before the first floor sample that counts: the warm-up runs the product first. */
  let activities = 2;

  return Promise.resolve({
    floor: async () => {
      const name = laboratory.name('bare-spawn');
      const prompt = laboratory.model.script([{ text: 'done' }]);
      const claude = { ...(await claudeOptions(laboratory, name)), text: prompt.text };
      const clone = { from: laboratory.repository, to: path.join(claude.cwd, 'clone') };
      const input: StartInput = { before: activities - 1, clone, claude: { ...claude } };
      const began = now();
      const workflow = client.workflow.execute('start', {
        taskQueue: laboratory.bare.taskQueue,
        workflowId: name,
        args: [input],
      });
      const requested = await prompt.requested();
      await workflow;
      return requested - began;
    },
    ours: async () => {
      const stack = laboratory.stack();
      const prompt = laboratory.model.script([{ text: 'done' }]);
      const began = now();
      const agent = await spawnAgent(laboratory, prompt, { repository: laboratory.repository });
      const requested = await prompt.requested();
      await idle(stack, agent);
      activities = (await countHistory(stack.temporal, agent.workflowId)).activities;
      await killAgent(stack, agent);
      return requested - began;
    },
    notes: () => [`${activities.toString()} activities up to the first turn, on both sides`],
    close: () => Promise.resolve(),
  });
}
