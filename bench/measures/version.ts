// `murmur version`, as published.
import { timeNode } from '../laboratory/command.ts';
import type { Laboratory } from '../laboratory/laboratory.ts';
import { publishedBin } from '../laboratory/published.ts';
import type { Measure, Trial } from '../measure.ts';
import { ratioAtMost } from '../target.ts';

/** Start to exit; the floor is a Node that does nothing. */
export const version: Measure = {
  name: 'version',
  title: 'murmur version, as published',
  unit: 'ms',
  samples: { full: 30, quick: 5 },
  warmUps: 3,
  target: ratioAtMost(3),
  patienceMs: 240_000,
  open,
};

function open({ packageRoot, directory: cwd, stack }: Laboratory): Promise<Trial> {
  return Promise.resolve({
    floor: () => timeNode(['-e', '0'], { cwd }),
    ours: async () => {
      const bin = await publishedBin(packageRoot, cwd);
      return timeNode([bin, 'version'], { cwd, env: stack().env });
    },
    close: () => Promise.resolve(),
  });
}
