// `npm run demo`: one agent from spawn to a pushed branch. Only the model is not real.
// `npm run demo -- tree`: an agent that builds a team, and a tree that is killed.
//   --keep   leaves the stack running, to explore
//   --real   uses the caller's own key and a real model; for the one agent only
import { parseArgs } from 'node:util';
import { oneAgent } from './one-agent.ts';
import { withStage, type StageOptions } from './stage.ts';
import { DemoFailure } from './terminal.ts';
import { tree } from './tree.ts';

async function demo(name: string | undefined, options: StageOptions): Promise<void> {
  if (name === undefined) {
    await withStage('agent', options, oneAgent);
  } else if (name === 'tree' && !options.real) {
    await withStage('tree', options, tree);
  } else {
    throw new DemoFailure('usage: npm run demo [-- --keep | --real], or npm run demo -- tree [--keep]');
  }
}

const { positionals, values } = parseArgs({
  options: { keep: { type: 'boolean', default: false }, real: { type: 'boolean', default: false } },
  allowPositionals: true,
});
try {
  await demo(positionals[0], values);
  process.stdout.write('\nAll checks passed.\n');
} catch (error) {
  process.stderr.write(`\n${error instanceof DemoFailure ? `✗ ${error.message}` : String((error as Error).stack)}\n`);
  process.exitCode = 1;
}
