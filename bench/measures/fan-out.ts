// Two hundred agents started by one call.
import { now } from '../clock.ts';
import { lastTurnStart, spawnFanOut } from '../laboratory/fan-out.ts';
import type { Laboratory } from '../laboratory/laboratory.ts';
import type { Measure, Trial } from '../measure.ts';
import { ratioAtMost, slowerAtMost } from '../target.ts';

/**
 * From the call to the start of the last agent's turn, with the fake backend and a slot for each agent. The floor is a
 * workflow that starts as many children, each with as many activities and upserts as an agent has by then.
 */
export const fanOut: Measure = {
  name: 'fan-out',
  title: 'fan-out of 200 agents, fake backend → all turns started',
  unit: 'ms',
  samples: { full: 3, quick: 1 },
  warmUps: 0,
  target: ratioAtMost(2),
  against: slowerAtMost(1.1),
  timeoutMs: 240_000,
  open,
};

const AGENTS = 200;
/** Activities per agent: the creation of the machine, and the turn. */
const COUNTS = { activities: 2, localActivities: 0, upserts: 1 };

function open(laboratory: Laboratory): Promise<Trial> {
  return Promise.resolve({
    floor: async () => {
      const { taskQueue } = laboratory.bare;
      const began = now();
      const args = [{ children: AGENTS, counts: COUNTS }];
      await laboratory.temporal.client.workflow.execute('fan', { taskQueue, workflowId: laboratory.name('fan'), args });
      return now() - began;
    },
    ours: async () => {
      const stack = laboratory.stack();
      const { text } = laboratory.model.script([{ text: 'done' }]);
      const began = Date.now();
      // The agents end at once, because two hundred runners use some gigabytes.
      const agents = await spawnFanOut(laboratory, { count: AGENTS, text, onIdle: 'terminate' });
      const started = await lastTurnStart(stack, agents, fanOut.timeoutMs);
      await Promise.all(agents.map(({ slug }) => stack.client.wait({ slug, phase: 'completed' })));
      return started - began;
    },
    notes: () => [
      `each child of the floor with ${COUNTS.activities.toString()} activities and ${COUNTS.upserts.toString()} upsert; each agent also starts a process`,
    ],
    close: () => Promise.resolve(),
  });
}
