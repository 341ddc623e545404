// `murmur ls`, as published.
import { fileURLToPath } from 'node:url';
import { residentAgent, WORKSPACE } from '../laboratory/agent.ts';
import { timeNode } from '../laboratory/command.ts';
import type { Laboratory } from '../laboratory/laboratory.ts';
import type { Measure, Trial } from '../measure.ts';
import { ratioAtMost } from '../target.ts';

/** From start to exit, with three agents. The floor connects with the Temporal client and lists. */
export const ls: Measure = {
  name: 'ls',
  title: 'murmur ls, as published',
  unit: 'ms',
  samples: { full: 30, quick: 5 },
  warmUps: 3,
  target: ratioAtMost(1),
  timeoutMs: 60_000,
  open,
};

const BARE_LIST = fileURLToPath(new URL('../bare/list.mjs', import.meta.url));

function open(laboratory: Laboratory): Promise<Trial> {
  const { directory: cwd, temporal } = laboratory;
  const residents = [1, 2, 3].map(() => residentAgent(laboratory));
  return Promise.resolve({
    floor: () => timeNode([BARE_LIST, temporal.address, temporal.namespace], { cwd }),
    ours: async () => {
      for (const resident of residents) await resident.get();
      const { bin, env } = laboratory.stack();
      return timeNode([bin, 'ls', '--workspace', WORKSPACE], { cwd, env });
    },
    close: async () => {
      for (const resident of residents) await resident.close();
    },
  });
}
