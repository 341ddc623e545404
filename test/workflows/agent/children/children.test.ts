import { describe, expect, it } from '@jest/globals';
import type { AgentSpec } from '../../../../contract/wire/agent.ts';
import type { BudgetGrant } from '../../../../contract/wire/budget.ts';
import type { ChildEvent } from '../../../../contract/wire/messages.ts';
import type { Phase } from '../../../../contract/wire/phases.ts';
import {
  childrenCost,
  registerChild,
  hasBusyChildren,
  livingChildren,
  markStarted,
  removeChild,
} from '../../../../workflows/agent/children/children.ts';
import { clearQueue } from '../../../../workflows/agent/turn/queue.ts';
import { SIGNAL_HANDLERS } from '../../../../workflows/agent/signals.ts';
import { canDeliver, reviewBudget, setBudget, takeMessage } from '../../../../workflows/agent/budget/spending.ts';
import { enterPhase } from '../../../../workflows/agent/transitions.ts';
import { statusOf } from '../../../../workflows/agent/status.ts';
import { agentSpec } from '../../../fixtures/agent-spec.ts';
import { NOW, message, testAgent, texts } from '../../../fixtures/agent-state.ts';

const OPEN_TASK = {
  id: '1',
  subject: 'a test',
  status: 'pending',
  blocks: [],
  blocked_by: [],
  dormant: false,
} as const;
const LEAD = { workspace: 'default', account: 'tess', path: ['lead'] } as const;

function family() {
  const agent = testAgent({ identity: LEAD });
  agent.begin();
  const spawn = (slug: string): AgentSpec => {
    const child = agentSpec({ identity: { ...LEAD, path: ['lead', slug] }, created_by: '/w/default/u/tess/lead' });
    registerChild(agent.state, agent.spec, child, NOW);
    return child;
  };
  let told = 0;
  const tell = (child: AgentSpec, phase: Phase, changes: Partial<ChildEvent> = {}): void => {
    told += 1;
    const event: ChildEvent = {
      id: `told-${told.toString()}`,
      slug: child.identity.path.at(-1) ?? '',
      spawn_id: child.spawn_id,
      phase,
      turn: 1,
      branches: ['murmur/default/tess/lead_kid'],
      cost_usd: 0.5,
      at: NOW,
      ...changes,
    };
    SIGNAL_HANDLERS.childEvent(agent.state, event, NOW, agent.spec);
  };
  return { ...agent, spawn, tell };
}

describe('a child that is being started', () => {
  it('receives no message before it exists; other children do, in order', () => {
    const { state, spec, spawn } = family();
    const old = spawn('old');
    markStarted(state, old.spawn_id);
    const kid = spawn('kid');
    setBudget(state, spec, 10, 'tess', NOW);
    for (const each of [old, kid]) {
      const request = { slug: '', spawn_id: each.spawn_id, number: 1, keep_usd: 1, want_usd: 1, spent_usd: 1 };
      SIGNAL_HANDLERS.budgetRequest(state, request, NOW, spec);
      reviewBudget(state, spec, NOW);
    }
    const taken = () => takeMessage(state) as { slug: string; grant: BudgetGrant } | undefined;
    const numbers = () => Array.from({ length: 2 }, taken).map((message) => [message?.slug, message?.grant.number]);
    expect(numbers()).toEqual([
      ['old', 0],
      ['old', 1],
    ]);
    expect(canDeliver(state)).toBe(false);
    markStarted(state, kid.spawn_id);
    expect(numbers()).toEqual([
      ['kid', 0],
      ['kid', 1],
    ]);
    expect(statusOf(state, spec, { children: true }).children?.[1]).not.toHaveProperty('is_starting');
  });
});

describe('a child', () => {
  it('is registered before its start, and not ended until it reports its end', () => {
    const { state, spec, spawn, tell } = family();
    const kid = spawn('kid');
    expect(statusOf(state, spec, { children: true }).children).toEqual([
      { slug: 'kid', spawn_id: kid.spawn_id, phase: 'starting', phase_since: NOW, cost_usd: 0 },
    ]);
    expect(livingChildren(state, spec)).toEqual([
      { agent: 'w/default/u/tess/lead/kid', spawn_id: kid.spawn_id, cost_usd: 0 },
    ]);
    expect(hasBusyChildren(state)).toBe(true);
    tell(kid, 'completed');
    expect(livingChildren(state, spec)).toEqual([]);
    expect(hasBusyChildren(state)).toBe(false);
  });

  it('is registered once per spawn; a slug that is or was in use and a spawn by an ending agent are refused', () => {
    const { state, spec, spawn, tell } = family();
    const kid = spawn('kid');
    expect(registerChild(state, spec, kid, NOW)).toBe(false);
    expect(() => spawn('kid')).toThrow(expect.objectContaining({ code: 'ALREADY_EXISTS' }));
    tell(kid, 'failed');
    expect(() => spawn('kid')).toThrow(expect.objectContaining({ code: 'FAILED_PRECONDITION' }));
    state.end = { how: 'kill', by: 'tess', reason: undefined };
    expect(() => spawn('late')).toThrow(expect.objectContaining({ code: 'FAILED_PRECONDITION' }));
  });

  it('that could not be started is removed', () => {
    const { state, spec, spawn } = family();
    removeChild(state, spawn('kid').spawn_id);
    expect(livingChildren(state, spec)).toEqual([]);
  });
});

describe('an event of a child', () => {
  it.each(['task-complete', 'failed', 'completed', 'canceled', 'idle'] as const)('wakes the parent: %s', (phase) => {
    const { state, spawn, tell } = family();
    tell(spawn('kid'), phase, { response: 'Fixed it.', reason: 'because' });
    expect(texts(state.queue)).toEqual([
      `[child_lifecycle] Your child agent \`kid\` is ${phase} (cost $0.50; branch murmur/default/tess/lead_kid; because).\nIts last answer:\n\nFixed it.`,
    ]);
    expect(state.queue[0]?.from).toBe('/w/default/u/tess/lead/kid');
  });

  it('only appears on the timeline when the child starts to run', () => {
    const { state, spawn, tell } = family();
    tell(spawn('kid'), 'running');
    expect(state.queue).toEqual([]);
    expect(state.timeline.at(-1)).toMatchObject({ type: 'child', slug: 'kid', phase: 'running' });
  });

  it('wakes once for the completed task and the end of the same turn, and again after another turn', () => {
    const { state, spawn, tell } = family();
    const [kid, other] = [spawn('kid'), spawn('other')];
    tell(kid, 'task-complete', { turn: 1 });
    tell(kid, 'completed', { turn: 1 });
    expect(state.queue).toHaveLength(1);
    tell(other, 'task-complete', { turn: 1 });
    tell(other, 'running', { turn: 2 });
    tell(other, 'completed', { turn: 2 });
    expect(state.queue).toHaveLength(3);
  });

  it('of a kill only appears on the timeline if the agent itself sent the kill', () => {
    const { state, spawn, tell } = family();
    tell(spawn('one'), 'canceled', { by: '/w/default/u/tess/lead' });
    expect(state.queue).toEqual([]);
    tell(spawn('two'), 'canceled', { by: 'tess' });
    expect(state.queue).toHaveLength(1);
  });

  it('counts once however often it is sent, and is ignored from an unknown agent', () => {
    const { state, spawn, tell } = family();
    const kid = spawn('kid');
    tell(kid, 'failed', { id: 'same' });
    tell(kid, 'failed', { id: 'same' });
    tell(agentSpec({ identity: { ...LEAD, path: ['lead', 'stranger'] } }), 'failed');
    expect(state.queue).toHaveLength(1);
  });

  it('survives a cleared queue', () => {
    const { state, spawn, tell } = family();
    tell(spawn('kid'), 'failed');
    state.queue.push(message('discard me'));
    expect(clearQueue(state)).toBe(1);
    expect(state.queue.map(({ kind }) => kind)).toEqual(['child']);
  });

  it('adds up the cost of the tree, including children dropped from the registry', () => {
    const { state, spec, spawn, tell } = family();
    for (let index = 0; index < 600; index += 1) tell(spawn(`kid-${index.toString()}`), 'completed', { cost_usd: 0.5 });
    expect(state.children.length).toBeLessThanOrEqual(500);
    expect(childrenCost(state)).toBeCloseTo(300);
    expect(statusOf(state, spec).cost).toMatchObject({ own_usd: 0, children_usd: childrenCost(state) });
  });
});

describe('an agent whose children work', () => {
  it('is not reminded of open items and says what it waits for; it is reminded afterwards', () => {
    const { state, end, begin, spawn, tell } = family();
    state.tasks = [{ ...OPEN_TASK }];
    const kid = spawn('kid');
    expect(end()).toMatchObject({ next: 'rest', complete: false, reason: 'waits for its children' });
    tell(kid, 'task-complete');
    begin();
    expect(end()).toEqual({ next: 'continue' });
    expect(texts(state.due).join()).toContain('a test');
  });
});

describe('the events for a parent', () => {
  const child = () => testAgent({ identity: { ...LEAD, path: ['lead', 'kid'] } });

  it('include each meaningful phase, but not the idling after a completed task', () => {
    const { state, begin, end } = child();
    begin();
    expect(state.to_parent?.map(({ phase }) => phase)).toEqual(['running']);
    end({ response: 'Done.' });
    enterPhase(state, 'task-complete', NOW);
    enterPhase(state, 'idle', NOW);
    expect(state.to_parent).toEqual([
      expect.objectContaining({ phase: 'task-complete', turn: 1, response: 'Done.', cost_usd: state.cost.usd }),
    ]);
  });

  it('name the sender of a kill, and the reason of an agent that waits', () => {
    const { state, begin, end } = child();
    begin();
    end();
    enterPhase(state, 'idle', NOW, 'open checklist items: tests (after 3 reminders)');
    expect(state.to_parent?.at(-1)).toMatchObject({ phase: 'idle', reason: expect.stringContaining('tests') });
    state.end = { how: 'kill', by: 'tess', reason: undefined };
    enterPhase(state, 'canceled', NOW, 'killed by tess');
    expect(state.to_parent?.at(-1)).toMatchObject({ phase: 'canceled', by: 'tess' });
  });

  it.each([
    ['an interruption', 'interrupted', 'stopped by hand'],
    ['waiting for children', 'waits_for_children', 'two are at work'],
  ] as const)('omit %s by its code, whatever its reason text', (_what, code, reason) => {
    const { state, begin } = child();
    begin();
    enterPhase(state, 'idle', NOW, reason, code);
    expect(state.to_parent?.map(({ phase }) => phase)).toEqual(['running']);
    enterPhase(state, 'running', NOW);
    enterPhase(state, 'idle', NOW, 'interrupted, as a tool says of itself');
    expect(state.to_parent?.at(-1)).toMatchObject({ phase: 'idle', reason: expect.stringContaining('tool') });
  });

  it('are not recorded for a root agent', () => {
    const { state, begin } = testAgent();
    begin();
    expect(state.to_parent).toBeUndefined();
  });
});
