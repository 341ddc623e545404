// Parents and children as workflows on a real server: started, reported, killed, also while one of them continues as
// new.
import { randomUUID } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import type { WorkflowHandle } from '@temporalio/client';
import { killAgents } from '../../../../activities/kill-agents.ts';
import { untilStarted } from '../../../../agents/start.ts';
import { executeUpdate } from '../../../../agents/temporal.ts';
import { createMemoryTokenStore } from '../../../../drivers/tokens/memory.ts';
import { createAgentControl } from '../../../../agents/control.ts';
import type { AgentResult, AgentSpec, AgentStatus } from '../../../../contract/wire/agent.ts';
import { workflowIdOf } from '../../../../contract/wire/identity.ts';
import { agentSpec } from '../../../fixtures/agent-spec.ts';
import { startAgent } from '../../../fixtures/running-agent.ts';
import type { RunningAgent } from '../../../fixtures/running-agent.ts';
import { promptOf } from '../../../fixtures/stub-activities.ts';
import type { StubScript } from '../../../fixtures/stub-activities.ts';
import { sharedTemporalForFile } from '../../../fixtures/temporal-for-file.ts';
import { answered, eventually } from '../../../fixtures/waiting.ts';

const temporal = sharedTemporalForFile();

function childSpec(parent: AgentSpec, slug: string, changes: Partial<AgentSpec> = {}): AgentSpec {
  const identity = { ...parent.identity, path: [...parent.identity.path, slug] };
  return agentSpec({ identity, prompt: { text: `work as ${slug}` }, ...changes });
}

function handleOf(spec: AgentSpec): WorkflowHandle {
  return temporal.client.workflow.getHandle(workflowIdOf(spec.identity));
}

async function spawn(parent: AgentSpec, child: AgentSpec): Promise<void> {
  await executeUpdate(handleOf(parent), 'spawnChild', { args: [{ spec: child }], updateId: child.spawn_id });
  await untilStarted(temporal.client, child);
}

async function statusOf(spec: AgentSpec): Promise<AgentStatus> {
  return await handleOf(spec).query<AgentStatus, [object]>('status', { children: true });
}

/** The stub turns of the whole tree share one worker; kills use the real control. */
function tree(script: StubScript = {}, spec: Partial<AgentSpec> = {}, worker = {}): Promise<RunningAgent> {
  const ports = {
    control: createAgentControl(temporal.client),
    handover: new AbortController().signal,
    tokenStore: createMemoryTokenStore(),
  };
  const kill: StubScript['kill'] = (input, { endAgent }) => killAgents(ports, endAgent, input);
  return startAgent(temporal, { kill, ...script }, spec, worker);
}

const isWorker = (prompt: string): boolean => prompt.includes('work as');

it('twenty concurrent spawns each start one child', async () => {
  await using lead = await tree();
  await lead.untilIdle();
  const children = Array.from({ length: 20 }, (_, index) => childSpec(lead.spec, `kid-${index.toString()}`));
  await Promise.all(children.map((child) => spawn(lead.spec, child)));
  const { children: known } = await answered(() => statusOf(lead.spec));
  expect(known).toHaveLength(20);
  // An update that is answered in a later task can block a workflow for good (workflows/agent/children/spawn.ts).
  const { events = [] } = await lead.handle.fetchHistory();
  const order = (events ?? []).flatMap((event) => {
    if (event.workflowTaskStartedEventAttributes) return ['task'];
    if (event.workflowExecutionUpdateAcceptedEventAttributes) return ['asked'];
    return event.workflowExecutionUpdateCompletedEventAttributes ? ['answered'] : [];
  });
  expect(order.filter((each) => each === 'answered')).toHaveLength(20);
  expect(order.join(' ')).not.toMatch(/asked task/);
  await lead.handle.signal('kill', { id: 'kill-all', from: 'tess' });
  expect((await lead.result()).receipt).toHaveLength(21);
}, 120_000);

describe.each([{ maxCachedWorkflows: 100 }, { maxCachedWorkflows: 0 }])(
  'a tree of agents, $maxCachedWorkflows cached',
  (worker) => {
    it('a child is started once, reports its end, and its parent has both in its status', async () => {
      await using lead = await tree({}, {}, worker);
      await lead.untilIdle();
      const kid = childSpec(lead.spec, 'kid');
      await Promise.all([spawn(lead.spec, kid), spawn(lead.spec, kid)]);
      await eventually(() => lead.stub.turns.some((turn) => promptOf(turn).includes('[child_lifecycle]')), 'news');
      const news = lead.stub.turns.find((turn) => promptOf(turn).includes('[child_lifecycle]'));
      expect(promptOf(news as never)).toMatch(
        /Your child agent `kid` is task-complete \(cost \$0\.25.*\n.*\n\nanswer 1$/s,
      );
      expect(lead.stub.turns.filter((turn) => isWorker(promptOf(turn)))).toHaveLength(1);
      const { children, cost } = await statusOf(lead.spec);
      expect(children).toMatchObject([{ slug: 'kid', phase: 'task-complete', cost_usd: 0.25 }]);
      expect(cost).toMatchObject({ children_usd: 0.25 });
      await handleOf(kid).signal('kill', { id: 'k', from: 'tess' });
    }, 120_000);
  },
);

describe('a tree of agents', () => {
  it('is killed completely: the receipt lists every agent, including one that was being spawned', async () => {
    await using lead = await tree({ turn: () => 'wait' });
    await lead.until((now) => now.turn?.running === true);
    const [kid, other] = [childSpec(lead.spec, 'kid'), childSpec(lead.spec, 'other')];
    await Promise.all([spawn(lead.spec, kid), spawn(lead.spec, other)]);
    const grandchild = childSpec(kid, 'deep');
    await spawn(kid, grandchild);
    const late = childSpec(lead.spec, 'late');
    const spawning = spawn(lead.spec, late).then(
      () => true,
      () => false,
    );
    await lead.handle.signal('kill', { id: randomUUID(), from: 'tess' });
    const { receipt } = await lead.result();
    const expected = [lead.spec, kid, grandchild, other, ...((await spawning) ? [late] : [])];
    expect(receipt.map(({ path }) => path).sort()).toEqual(
      expected.map(({ identity }) => `/${workflowIdOf(identity)}`).sort(),
    );
    expect(receipt.every(({ phase, machine_state }) => phase === 'canceled' && machine_state === 'destroyed')).toBe(
      true,
    );
    for (const spec of expected) expect((await handleOf(spec).describe()).status.name).toBe('COMPLETED');
    // One activity for all descendants, and one for the root.
    expect(lead.stub.kills).toHaveLength(1);
    // The parents take the ends from the receipts.
    const { children = [], cost } = await statusOf(lead.spec);
    expect(children.map(({ phase }) => phase)).toEqual(children.map(() => 'canceled'));
    const below = receipt.filter(({ path }) => path !== `/${workflowIdOf(lead.spec.identity)}`);
    expect(cost.children_usd).toBe(below.reduce((sum, { cost_usd }) => sum + cost_usd, 0));
  }, 120_000);

  it('keeps its children when parent and child continue as new', async () => {
    const limits = { continue_after_turns: 2 };
    await using lead = await tree({}, { limits });
    await lead.untilIdle();
    const kid = childSpec(lead.spec, 'kid', { limits });
    await spawn(lead.spec, kid);
    for (let round = 0; round < 4; round += 1) {
      await handleOf(kid).signal('queueAdd', {
        id: randomUUID(),
        text: { text: `round ${round.toString()}` },
        from: 'tess',
      });
      await eventually(
        () => lead.stub.turns.some((turn) => promptOf(turn).includes(`round ${round.toString()}`)),
        `round ${round.toString()}`,
      );
    }
    await eventually(async () => (await statusOf(lead.spec)).children?.[0]?.cost_usd === 1.25, 'all costs');
    await handleOf(kid).signal('stop', { id: randomUUID(), from: 'tess' });
    await eventually(async () => (await statusOf(lead.spec)).children?.[0]?.phase === 'completed', 'the end');
    expect(((await handleOf(kid).result()) as AgentResult).phase).toBe('completed');
  }, 120_000);

  it('waits for working children before an agent with on_idle: terminate ends', async () => {
    let finish: () => void = () => undefined;
    const finished = new Promise<void>((resolve) => (finish = resolve));
    await using lead = await tree(
      {
        turn: async (turn) => {
          if (promptOf(turn).includes('work as kid')) await finished;
          if (promptOf(turn).includes('Fix the timeout')) await spawn(lead.spec, kid);
          return {};
        },
      },
      { on_idle: 'terminate' },
    );
    const kid = childSpec(lead.spec, 'kid', { on_idle: 'terminate' });
    await lead.until((now) => now.phase === 'idle');
    finish();
    expect(await lead.result()).toMatchObject({ phase: 'completed' });
    expect(((await handleOf(kid).result()) as AgentResult).phase).toBe('completed');
    expect(lead.stub.turns.filter((turn) => promptOf(turn).includes('[child_lifecycle]'))).toHaveLength(1);
  }, 120_000);
});
