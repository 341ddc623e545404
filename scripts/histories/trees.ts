// Agents with children, and agents of a fan-out.
import { workflowIdOf } from '../../contract/wire/identity.ts';
import { startAgent } from '../../test/fixtures/running-agent.ts';
import { startFanout } from '../../test/fixtures/running-fanout.ts';
import { promptOf } from '../../test/fixtures/stub-activities.ts';
import { eventually, gate } from '../../test/fixtures/waiting.ts';
import { childOf, scenariosOf, spawn } from './life.ts';
import type { AgentLife } from './life.ts';
import type { Scenario } from './scenario.ts';

const KILL = { id: 'k1', from: 'tess' } as const;
const spawned = gate();
const working = gate();

const LIVES: Readonly<Record<string, AgentLife>> = {
  // A child at rest with a working child of its own, a child at work; then a kill of all of them.
  'tree-killed': {
    script: { turn: (input) => (/work as (deep|busy)/.test(promptOf(input)) ? 'wait' : {}) },
    play: async (agent, temporal, keep) => {
      await agent.untilIdle();
      const kid = childOf(agent.spec, 'kid');
      await spawn(temporal, agent.spec, kid);
      await spawn(temporal, kid, childOf(kid, 'deep'));
      await spawn(temporal, agent.spec, childOf(agent.spec, 'busy'));
      const isWorking = (slug: string): boolean =>
        agent.stub.turns.some((turn) => promptOf(turn).includes(`work as ${slug}`));
      await eventually(() => isWorking('deep') && isWorking('busy'), 'their turns');
      await eventually(() => agent.stub.turns.some((turn) => promptOf(turn).includes('[child_lifecycle]')), 'the news');
      await agent.untilIdle();
      await keep('open');
      await agent.handle.signal('kill', KILL);
      await agent.result();
    },
    children: ['kid', 'kid/deep', 'busy'],
  },
  // An agent with on_idle: terminate waits for its working child.
  'tree-terminates': {
    spec: { on_idle: 'terminate', limits: { continue_after_signals: 3 } },
    script: {
      turn: async (input) => {
        if (promptOf(input).includes('work as kid')) await working.opened;
        if (promptOf(input).includes('Fix the timeout')) await spawned.opened;
        return {};
      },
    },
    play: async (agent, temporal, keep) => {
      await agent.until((now) => now.turn?.running === true);
      await spawn(temporal, agent.spec, childOf(agent.spec, 'kid', { on_idle: 'terminate' }));
      await keep('spawned');
      spawned.open();
      await agent.until((now) => now.phase === 'idle');
      await keep('waiting');
      working.open();
      await agent.result();
    },
    children: ['kid'],
  },
  // A child that fails, a slug that is in use, a repeated spawn, and a parent that ends before its child.
  'tree-orphaned': {
    script: { turn: (input) => (promptOf(input).includes('work as failing') ? { status: 'crashed' } : {}) },
    play: async (agent, temporal, keep) => {
      await agent.untilIdle();
      const failing = childOf(agent.spec, 'failing');
      const kid = childOf(agent.spec, 'kid');
      await Promise.all([spawn(temporal, agent.spec, kid), spawn(temporal, agent.spec, kid)]);
      await spawn(temporal, agent.spec, childOf(agent.spec, 'kid')).catch(() => undefined);
      await spawn(temporal, agent.spec, failing);
      await temporal.client.workflow.getHandle(workflowIdOf(failing.identity)).result();
      await agent.untilIdle();
      await keep('open');
      await agent.handle.signal('stop', { id: 's1', from: 'tess' });
      await agent.result();
      const child = temporal.client.workflow.getHandle(workflowIdOf(kid.identity));
      await child.signal('queueAdd', { id: 'q1', text: { text: 'on your own' }, from: 'tess' });
      await eventually(() => agent.stub.turns.some((turn) => promptOf(turn).includes('on your own')), 'its turn');
      await child.signal('kill', KILL);
      await child.result();
    },
    children: ['kid', 'failing'],
  },
};

/** An agent releases its slot in a running fan-out, and in one that has ended. */
const slots: Scenario = async (temporal, keep) => {
  await using fanout = await startFanout(temporal, { count: 2, max_concurrent: 1 }, { outcome: () => 'works' });
  for (const [index, moment] of ['lives', 'has-ended'].entries()) {
    await eventually(() => fanout.started.length === index + 1, 'the start');
    const slot = { fanout: fanout.handle.workflowId, index };
    await using agent = await startAgent(temporal, {}, { slot });
    if (index === 1) await fanout.result();
    await agent.untilIdle();
    await keep(agent.handle.workflowId, `${moment}-idle`);
    await agent.handle.signal('kill', KILL);
    await agent.result();
    await keep(agent.handle.workflowId, moment);
  }
};

export const TREE_SCENARIOS: Readonly<Record<string, Scenario>> = { ...scenariosOf(LIVES), 'slot-of': slots };
