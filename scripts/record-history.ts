// Records workflow histories for test/replay, with stub activities on a real server: `node scripts/record-history.ts
// [--build <commit>] [<scenario>…]`. It records all scenarios, or the named ones. It writes to a folder named after the
// commit, `test/replay/histories/<short commit>`. Histories are kept for ever, because such workflows may still be
// running. The first change after a landing records the landed commit.
import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import type { History } from '@temporalio/common/lib/proto-utils.js';
import { startTemporal } from '../test/fixtures/temporal.ts';
import { linesOf } from './histories/lines.ts';
import { recordedBuild } from './histories/build.ts';
import { AGENT_SCENARIOS } from './histories/agents.ts';
import { BUDGET_SCENARIOS } from './histories/budgets.ts';
import { END_SCENARIOS } from './histories/ends.ts';
import { FANOUT_SCENARIOS } from './histories/fanouts.ts';
import { FLIGHT_SCENARIOS } from './histories/flights.ts';
import { OPEN_SCENARIOS } from './histories/open-agents.ts';
import { OPEN_FLIGHT_SCENARIOS } from './histories/open-flights.ts';
import { TREE_SCENARIOS } from './histories/trees.ts';

const SCENARIOS = {
  ...AGENT_SCENARIOS,
  ...OPEN_SCENARIOS,
  ...END_SCENARIOS,
  ...TREE_SCENARIOS,
  ...BUDGET_SCENARIOS,
  ...FLIGHT_SCENARIOS,
  ...OPEN_FLIGHT_SCENARIOS,
  ...FANOUT_SCENARIOS,
};

const { values, positionals } = parseArgs({
  options: { build: { type: 'string', default: 'HEAD' } },
  allowPositionals: true,
});
const unknown = positionals.filter((name) => !Object.hasOwn(SCENARIOS, name));
if (unknown.length > 0) {
  throw new Error(`no scenario ${unknown.join(', ')}: there are ${Object.keys(SCENARIOS).join(', ')}`);
}
const build = await recordedBuild(values.build);
const folder = join(import.meta.dirname, '..', 'test', 'replay', 'histories', build);
await mkdir(folder, { recursive: true });
if (positionals.length === 0 && (await readdir(folder)).length > 0) {
  throw new Error(`${folder} is recorded already: name the scenarios that are to be added`);
}
/** Ended runs that are recorded already: a scenario may record a workflow several times. */
const ended = new Set<string>();
const temporal = await startTemporal();
try {
  for (const [name, play] of Object.entries(SCENARIOS)) {
    if (positionals.length > 0 && !positionals.includes(name)) continue;
    process.stdout.write(`${name}\n`);
    await play(temporal, (workflowId, part) => record(part === undefined ? name : `${name}-${part}`, workflowId));
  }
} finally {
  await temporal.stop();
}

/** Writes the histories of all runs of the workflow, in order. */
async function record(name: string, workflowId: string): Promise<void> {
  const newest = await temporal.client.workflow.getHandle(workflowId).fetchHistory();
  let run = newest.events?.[0]?.workflowExecutionStartedEventAttributes?.firstExecutionRunId ?? undefined;
  for (let number = 1; run !== undefined; number += 1) {
    const history: History = await temporal.client.workflow.getHandle(workflowId, run).fetchHistory();
    const file = join(folder, `${name}-${number.toString()}.json`);
    const last = history.events?.[history.events.length - 1];
    // A run without a completed workflow task has nothing to replay.
    const hasBegun = history.events?.some((event) => event.workflowTaskCompletedEventAttributes) === true;
    if (hasBegun && !ended.has(run)) {
      // `wx`: never overwrites a recorded history.
      await writeFile(file, linesOf(history), { flag: 'wx' });
      process.stdout.write(`  ${file}\n`);
    }
    if (last?.workflowExecutionContinuedAsNewEventAttributes) ended.add(run);
    run = last?.workflowExecutionContinuedAsNewEventAttributes?.newExecutionRunId ?? undefined;
  }
}
