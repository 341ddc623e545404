// Fifty concurrent agents with one turn each.
import { now } from '../clock.ts';
import { idle, killAgent, spawnAgent } from '../laboratory/agent.ts';
import { countHistory } from '../laboratory/history.ts';
import type { Laboratory } from '../laboratory/laboratory.ts';
import type { Measure, Trial } from '../measure.ts';
import { rateAtLeast, ratioAtLeast } from '../target.ts';

/**
 * Agents per second, from the first spawn to the last idle agent, with the fake backend. The floor runs as many
 * workflows, each with as many activities, local activities and upserts as an agent has by then.
 */
export const fleet: Measure = {
  name: 'fleet',
  title: '50 agents, fake backend, one turn each',
  unit: 'agents/s',
  samples: { full: 3, quick: 1 },
  warmUps: 1,
  target: ratioAtLeast(0.55),
  against: rateAtLeast(0.9),
  timeoutMs: 180_000,
  open,
};

const AGENTS = 50;

function open(laboratory: Laboratory): Promise<Trial> {
  const { client } = laboratory.temporal;
  /** Counts of one agent, read from the product, which the warm-up runs first. */
  let counts = { activities: 2, localActivities: 3, upserts: 3 };

  return Promise.resolve({
    floor: async () => {
      const { taskQueue } = laboratory.bare;
      const began = now();
      const burst = () =>
        client.workflow.execute('burst', { taskQueue, workflowId: laboratory.name('burst'), args: [counts] });
      await Promise.all(Array.from({ length: AGENTS }, burst));
      return AGENTS / ((now() - began) / 1_000);
    },
    ours: async () => {
      const stack = laboratory.stack();
      const began = now();
      const one = async () => {
        const agent = await spawnAgent(laboratory, laboratory.model.script([{ text: 'done' }]), { model: 'fake' });
        await idle(stack, agent);
        return agent;
      };
      const agents = await Promise.all(Array.from({ length: AGENTS }, one));
      const rate = AGENTS / ((now() - began) / 1_000);
      const [first] = agents;
      if (first !== undefined) counts = await countHistory(stack.temporal, first.workflowId);
      await Promise.all(agents.map((agent) => killAgent(stack, agent)));
      return rate;
    },
    notes: () => [
      `each with ${counts.activities.toString()} activities, ${counts.localActivities.toString()} local activities, ${counts.upserts.toString()} upserts`,
    ],
    close: () => Promise.resolve(),
  });
}
