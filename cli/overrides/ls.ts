// `ls`: adds `--quiet` (slugs only) and `--all-developers`.
import { ask } from '../operation.ts';
import type { CommandOverride } from '../override.ts';
import { present } from '../present/results.ts';

export const lsOverride: CommandOverride = {
  prepare: (input, { parsed }) =>
    Promise.resolve(parsed.flags.has('all-developers') ? { ...input, developer: '*' } : input),
  async run(call) {
    const { terminal } = call.context;
    const agents = (await ask(call)) as readonly { readonly slug: string }[];
    if (call.json) terminal.json(agents);
    else if (call.parsed.flags.has('quiet')) for (const { slug } of agents) terminal.line(slug);
    else present('ls', agents, terminal, call.input);
  },
};
