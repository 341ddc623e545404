// Records histories of agent workflows for test/replay, from stub activities on a real server:
// `node scripts/record-history.ts <scenario>…`. Files are named by scenario and date. They are kept for ever and never recorded
// again: each stands for agents that may still be running.
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { historyToJSON, type History } from '@temporalio/common/lib/proto-utils.js';
import { workflowIdOf } from '../contract/wire/identity.ts';
import type { AgentSpec } from '../contract/wire/agent.ts';
import { agentSpec } from '../test/fixtures/agent-spec.ts';
import { startAgent } from '../test/fixtures/running-agent.ts';
import type { RunningAgent } from '../test/fixtures/running-agent.ts';
import type { StubScript } from '../test/fixtures/stub-activities.ts';
import { startTemporal } from '../test/fixtures/temporal.ts';

interface Scenario {
  readonly script?: StubScript;
  readonly spec?: Partial<AgentSpec>;
  play(agent: RunningAgent): Promise<unknown>;
  /** Slugs of its children whose histories are kept as well. */
  readonly children?: readonly string[];
}

const overloaded = {
  kind: 'overloaded',
  message: 'overloaded',
  action: 'wait',
  retryable: true,
  retry_after_ms: 200,
} as const;

/** What agents go through, each in one history or in as many as it continues in. */
const SCENARIOS: Readonly<Record<string, Scenario>> = {
  'agent-life': {
    spec: { tasks: ['add a test'], out: 'respond' },
    script: { turn: (input) => (input.number === 3 ? 'wait' : {}) },
    play: async (agent) => {
      await agent.until((now) => now.turn?.number === 3 && now.turn.running);
      await agent.handle.signal('interrupt', { id: 'i1', from: 'tess' });
      await agent.untilIdle();
      await agent.handle.executeUpdate('taskUpdate', { args: [{ task_id: '1', status: 'done' }] });
      await agent.handle.executeUpdate('taskCreate', { args: [{ subject: ' ' }] }).catch(() => undefined);
      await agent.handle.signal('queueAdd', 'by hand');
      await agent.until((now) => now.working_on === 'by hand' && !now.pending_input);
      await agent.send('past the queue');
      await agent.until((now) => now.working_on === 'past the queue' && !now.pending_input);
      await agent.handle.signal('stop', { id: 's1', from: 'tess' });
      await agent.result();
    },
  },
  'agent-killed-in-turn': {
    script: { turn: () => 'wait' },
    play: async (agent) => {
      await agent.until((now) => now.turn?.running === true);
      await agent.queueAdd('never delivered');
      await agent.handle.signal('kill', { id: 'k1', from: 'tess' });
      await agent.result();
    },
  },
  'agent-parked': {
    script: {
      turn: (input) => {
        if (input.number === 1) return { status: 'api_error', error: overloaded };
        return input.number === 2 ? { status: 'crashed', response: '' } : {};
      },
    },
    play: async (agent) => {
      await agent.untilIdle();
    },
  },
  'agent-parent': {
    spec: { max_cost_usd: 5, limits: { continue_after_turns: 3 } },
    play: async (agent) => {
      await agent.untilIdle();
      const identity = { ...agent.spec.identity, path: [...agent.spec.identity.path, 'kid'] };
      const child = agentSpec({ identity, created_by: 'tess', limits: { continue_after_turns: 2 } });
      await agent.handle.executeUpdate('spawnChild', { args: [{ spec: child }], updateId: child.spawn_id });
      await agent.until((now) => now.turn?.number === 2 && !now.pending_input);
      const kid = temporal.client.workflow.getHandle(workflowIdOf(identity));
      await agent.handle.signal('notify', { id: 'n1', text: { text: 'a notice' }, from: 'tess' });
      await agent.handle.executeUpdate('setBudget', { args: [{ id: 'b1', from: 'tess', max_cost_usd: 9 }] });
      for (const text of ['once more', 'and again']) {
        await kid.signal('queueAdd', { id: text, text: { text }, from: 'tess' });
        await agent.until((now) => now.cost.children_usd >= (text === 'once more' ? 0.5 : 0.75) && !now.pending_input);
      }
      await kid.signal('stop', { id: 's1', from: 'tess' });
      await kid.result();
      await agent.untilIdle();
      await agent.handle.signal('kill', { id: 'k1', from: 'tess' });
      await agent.result();
    },
    children: ['kid'],
  },
  'agent-continued': {
    spec: { limits: { continue_after_turns: 2 }, dequeue_strategy: 'one' },
    play: async (agent) => {
      for (const text of ['one', 'two', 'three', 'four']) await agent.queueAdd(text);
      await agent.until((now) => now.turn?.number === 5 && !now.pending_input);
      await agent.handle.signal('kill');
      await agent.result();
    },
  },
};

const folder = join(import.meta.dirname, '..', 'test', 'replay', 'histories');
const chosen = process.argv.slice(2);
const date = new Date().toISOString().slice(0, 10);
await mkdir(folder, { recursive: true });
const temporal = await startTemporal();
try {
  for (const [name, { script, spec, play, children = [] }] of Object.entries(SCENARIOS)) {
    if (!chosen.includes(name)) continue;
    await using agent = await startAgent(temporal, script, spec);
    await play(agent);
    await record(name, agent.handle.workflowId);
    for (const slug of children) await record(`${name}-${slug}`, `${agent.handle.workflowId}/${slug}`);
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
