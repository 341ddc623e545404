// Records histories of workflows for test/replay, from stub activities on a real server:
// `node scripts/record-history.ts <scenario>…`. Files are named by scenario and date. They are kept for ever and never recorded
// again: each stands for workflows that may still be running.
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { historyToJSON, type History } from '@temporalio/common/lib/proto-utils.js';
import { startTemporal } from '../test/fixtures/temporal.ts';
import { AGENT_SCENARIOS } from './histories/agents.ts';
import { FANOUT_SCENARIOS } from './histories/fanouts.ts';
import { FLIGHT_SCENARIOS } from './histories/flights.ts';

const SCENARIOS = { ...AGENT_SCENARIOS, ...FLIGHT_SCENARIOS, ...FANOUT_SCENARIOS };

const folder = join(import.meta.dirname, '..', 'test', 'replay', 'histories');
const chosen = process.argv.slice(2);
const date = new Date().toISOString().slice(0, 10);
await mkdir(folder, { recursive: true });
const temporal = await startTemporal();
try {
  for (const [name, play] of Object.entries(SCENARIOS)) {
    if (!chosen.includes(name)) continue;
    await play(temporal, (workflowId, part) => record(part === undefined ? name : `${name}-${part}`, workflowId));
  }
} finally {
  await temporal.stop();
}

/** Writes every run of the workflow, the first one first. */
async function record(name: string, workflowId: string): Promise<void> {
  const newest = await temporal.client.workflow.getHandle(workflowId).fetchHistory();
  let run = newest.events?.[0]?.workflowExecutionStartedEventAttributes?.firstExecutionRunId ?? undefined;
  for (let number = 1; run !== undefined; number += 1) {
    const history: History = await temporal.client.workflow.getHandle(workflowId, run).fetchHistory();
    const file = join(folder, `${name}-${number.toString()}-${date}.json`);
    // `wx`: what is recorded stays.
    await writeFile(file, `${historyToJSON(history)}\n`, { flag: 'wx' });
    process.stdout.write(`${file}\n`);
    const last = history.events?.[history.events.length - 1];
    run = last?.workflowExecutionContinuedAsNewEventAttributes?.newExecutionRunId ?? undefined;
  }
}
