// The kill of a tree of two hundred agents.
import { readdir } from 'node:fs/promises';
import path from 'node:path';
import type { WorkflowHandle } from '@temporalio/client';
import { orderSignal } from '../bare/workflows.ts';
import { until } from '../bounded.ts';
import { now } from '../clock.ts';
import { idle, spawnAgent } from '../laboratory/agent.ts';
import type { SpawnedAgent } from '../laboratory/agent.ts';
import { spawnFanOut } from '../laboratory/fan-out.ts';
import type { Laboratory } from '../laboratory/laboratory.ts';
import type { Stack } from '../laboratory/stack.ts';
import type { Measure, Trial } from '../measure.ts';
import { ratioAtMost, slowerAtMost } from '../target.ts';

/**
 * From the call of kill to the end of the last machine, for a root, ten children and 189 grandchildren, all idle, with
 * the fake backend. The floor signals as many workflows at once and awaits their ends.
 */
export const killTree: Measure = {
  name: 'kill-tree',
  title: 'kill of a tree of 200 agents, fake backend → no machine left',
  unit: 'ms',
  // A small machine's speed can halve from one minute to the next.
  samples: { full: 5, quick: 1 },
  warmUps: 0,
  target: ratioAtMost(1.7),
  against: slowerAtMost(1.1),
  timeoutMs: 420_000,
  open,
};

const AGENTS = 200;
const CHILDREN = 10;
/** Grandchildren per child: nine times 19, then 18. */
const GRANDCHILDREN = Math.ceil((AGENTS - 1 - CHILDREN) / CHILDREN);

function open(laboratory: Laboratory): Promise<Trial> {
  const withActivity: number[] = [];
  return Promise.resolve({
    floor: async () => {
      withActivity.push(await endBare(laboratory, 'nothingThenEnd'));
      return endBare(laboratory, 'end');
    },
    ours: async () => {
      const stack = laboratory.stack();
      const before = await machines(stack);
      const root = await growTree(laboratory);
      const began = now();
      const { receipt } = await stack.client.call('kill', { slug: root.slug });
      await until(async () => ((await machines(stack)) > before ? undefined : true), {
        ...{ everyMs: 20, withinMs: 60_000, what: 'the end of every machine' },
      });
      const taken = now() - began;
      if (receipt.length !== AGENTS) throw new Error(`the receipt names ${receipt.length.toString()} agents`);
      return taken;
    },
    notes: () => [
      'ours also interrupts, snapshots, ends the processes of and deletes 200 machines',
      `the floor with one activity each, which does nothing: ${withActivity.map((ms) => ms.toFixed(0)).join(', ')} ms`,
    ],
    close: () => Promise.resolve(),
  });
}

/** Milliseconds from the first signal to the end of the last of the bare workflows. */
async function endBare(laboratory: Laboratory, activity: 'end' | 'nothingThenEnd'): Promise<number> {
  const { taskQueue } = laboratory.bare;
  const { workflow } = laboratory.temporal.client;
  const start = () => workflow.start('resident', { taskQueue, workflowId: laboratory.name('doomed') });
  const handles: readonly WorkflowHandle[] = await Promise.all(Array.from({ length: AGENTS }, start));
  const began = now();
  await Promise.all(
    handles.map(async (handle) => {
      await handle.signal(orderSignal, { activity });
      await handle.result();
    }),
  );
  return now() - began;
}

/** Resolves when all agents idle, even the parents, which each child's report wakes. */
async function growTree(laboratory: Laboratory): Promise<SpawnedAgent> {
  const stack = laboratory.stack();
  const script = laboratory.model.script([{ text: 'done' }]);
  const root = await spawnAgent(laboratory, script, { model: 'fake' });
  await idle(stack, root);
  const more = { text: script.text, onIdle: 'keep_alive' as const };
  const children = await spawnFanOut(laboratory, { ...more, count: CHILDREN, parent: root });
  for (const child of children) await idle(stack, child);
  let left = AGENTS - 1 - CHILDREN;
  for (const child of children) {
    const count = Math.min(GRANDCHILDREN, left);
    left -= count;
    const grandchildren = await spawnFanOut(laboratory, { ...more, count, parent: child });
    for (const grandchild of grandchildren) await idle(stack, grandchild);
  }
  for (const parent of [...children, root]) await idle(stack, parent);
  return root;
}

/** Folders of existing machines. The same directory has a list of users. */
async function machines(stack: Stack): Promise<number> {
  const names = await readdir(path.join(stack.home, 'machines')).catch(() => []);
  return names.filter((name) => name.startsWith('murmur-')).length;
}
