// Scenarios of agents, each with one history or one per run.
import { workflowIdOf } from '../../contract/wire/identity.ts';
import { agentSpec } from '../../test/fixtures/agent-spec.ts';
import { scenariosOf } from './life.ts';
import type { AgentLife } from './life.ts';

const overloaded = {
  kind: 'overloaded',
  message: 'overloaded',
  action: 'wait',
  retryable: true,
  retry_after_ms: 200,
} as const;

const LIVES: Readonly<Record<string, AgentLife>> = {
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
    play: async (agent, temporal) => {
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
  'agent-leaving-machine': {
    play: async (agent, temporal) => {
      await agent.untilIdle();
      const identity = { ...agent.spec.identity, path: [...agent.spec.identity.path, 'kid'] };
      const child = agentSpec({ identity, created_by: 'tess' });
      await agent.handle.executeUpdate('spawnChild', { args: [{ spec: child }], updateId: child.spawn_id });
      await agent.until((now) => now.turn?.number === 2 && !now.pending_input);
      for (const id of [agent.handle.workflowId, workflowIdOf(identity)]) {
        const order = { id: 'k1', from: '/w/default/u/tess/boss', with_parent: true, leave_machine: true };
        await temporal.client.workflow.getHandle(id).signal('kill', order);
        await temporal.client.workflow.getHandle(id).result();
      }
    },
    children: ['kid'],
  },
  'agent-told-in-turn': {
    spec: { max_cost_usd: 1 },
    script: { turn: ({ number }) => (number === 1 ? 'wait' : {}) },
    play: async (agent) => {
      await agent.until(() => agent.stub.turns.length === 1);
      const turn_id = agent.stub.turns[0]?.turn_id;
      for (const used_usd of [0.3, 0.81, 0.9])
        await agent.handle.executeUpdate('reportUsage', { args: [{ turn_id, used_usd }] });
      await agent.until(() => agent.stub.notices.length === 1);
      await agent.handle.signal('interrupt', { id: 'i1', from: 'tess' });
      await agent.untilIdle();
      await agent.queueAdd('go on');
      await agent.until((now) => now.turn?.number === 2 && !now.pending_input);
      await agent.handle.signal('kill', { id: 'k1', from: 'tess' });
      await agent.result();
    },
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

/** Agents without children, and one with a child. */
export const AGENT_SCENARIOS = scenariosOf(LIVES);
