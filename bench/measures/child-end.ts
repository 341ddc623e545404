// From a child's end to its parent's next model request.
import { pause } from '../bounded.ts';
import { idle, residentAgent, spawnAgent, followUp } from '../laboratory/agent.ts';
import { startBareAgent } from '../laboratory/bare-agent.ts';
import type { Laboratory } from '../laboratory/laboratory.ts';
import type { Measure, Trial } from '../measure.ts';
import { ratioAtMost } from '../target.ts';

/**
 * From the time at which the child's workflow has the end to the arrival of the parent's request that reports it. The
 * floor is a bare workflow that signals another one, from the time at which it runs.
 */
export const childEnd: Measure = {
  name: 'child-end',
  title: "child's end → parent's next model request",
  unit: 'ms',
  samples: { full: 40, quick: 4 },
  warmUps: 3,
  target: ratioAtMost(1.5),
  timeoutMs: 30_000,
  open,
};

/** Longer than the work after a turn takes on either side, in milliseconds. */
const SETTLE_MS = 200;

async function open(laboratory: Laboratory): Promise<Trial> {
  const { bare, temporal } = laboratory;
  const bareParent = await startBareAgent(laboratory);
  const parent = residentAgent(laboratory);
  let child: Awaited<ReturnType<typeof spawnAgent>> | undefined;

  return {
    floor: async () => {
      const prompt = laboratory.model.script([{ text: 'done' }]);
      const name = laboratory.name('child');
      const ended = bare.next('ended', (each) => each.name === bareParent.name);
      await pause(SETTLE_MS);
      const at: unknown = await temporal.client.workflow.execute('child', {
        taskQueue: bare.taskQueue,
        workflowId: name,
        args: [{ parent: bareParent.workflowId, program: bareParent.name, text: prompt.text }],
      });
      const requested = await prompt.requested();
      await ended;
      return requested - Number(at);
    },
    ours: async () => {
      const stack = laboratory.stack();
      const agent = await parent.get();
      if (child === undefined) {
        child = await spawnAgent(laboratory, laboratory.model.script([{ text: 'ready' }]), {
          parent: agent,
          model: 'fake',
        });
        await idle(stack, child);
        await idle(stack, agent);
      }
      // The parent's request contains the child's answer, which identifies it.
      const told = laboratory.model.script([{ text: 'done' }]);
      const requested = laboratory.model.script([{ text: told.text }]);
      await pause(SETTLE_MS);
      await followUp(stack, child, requested);
      const arrived = await told.requested();
      await idle(stack, agent);
      const { timeline = [] } = await stack.client.call('status', { slug: child.slug, timeline: ['phase'] });
      const end = timeline.findLast((entry) => entry.type === 'phase' && entry.phase === 'task-complete');
      return arrived - Date.parse(end?.at ?? '');
    },
    close: async () => {
      await bareParent.stop();
      // Ends its child too.
      await parent.close();
    },
  };
}
