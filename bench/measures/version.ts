// `murmur version`, as published.
import path from 'node:path';
import { timeNode } from '../laboratory/command.ts';
import type { Laboratory } from '../laboratory/laboratory.ts';
import type { Measure, Trial } from '../measure.ts';
import { percentile } from '../statistics.ts';
import { ratioAtMost } from '../target.ts';

/**
 * From start to exit without a stack, so that it measures only the command line. The floor is a Node process that does
 * nothing. With a stack, the command also asks the API server; the notes have that time.
 */
export const version: Measure = {
  name: 'version',
  title: 'murmur version, as published',
  unit: 'ms',
  samples: { full: 30, quick: 5 },
  warmUps: 3,
  target: ratioAtMost(3),
  timeoutMs: 30_000,
  open,
};

function open({ directory: cwd, stack }: Laboratory): Promise<Trial> {
  const asking: number[] = [];
  return Promise.resolve({
    floor: () => timeNode(['-e', '0'], { cwd }),
    ours: async () => {
      const { bin, env } = stack();
      asking.push(await timeNode([bin, 'version'], { cwd, env }));
      return timeNode([bin, 'version'], { cwd, env: { ...env, MURMUR_HOME: path.join(cwd, 'no-home') } });
    },
    notes: () =>
      asking.length === 0 ? [] : [`${percentile(asking, 50).toFixed(0)} ms, p50, when it asks an API server`],
    close: () => Promise.resolve(),
  });
}
