import { describe, expect, it } from '@jest/globals';
import { PHASES, TERMINAL_PHASES } from '../../../contract/wire/phases.ts';
import { carriedState } from '../../../workflows/agent/migrate.ts';
import { TRANSITIONS, enterPhase, initialState, requestEnd } from '../../../workflows/agent/transitions.ts';
import type { EndRequest } from '../../../workflows/agent/state.ts';
import { agentSpec } from '../../fixtures/agent-spec.ts';
import { NOW, testAgent } from '../../fixtures/agent-state.ts';

const LATER = '2026-11-21T09:05:00.000Z';

describe('the phase machine', () => {
  it('allows exactly these transitions', () => {
    expect(TRANSITIONS).toEqual({
      starting: ['running', 'idle', 'completed', 'failed', 'canceled'],
      running: ['task-complete', 'idle', 'completed', 'failed', 'canceled'],
      'task-complete': ['running', 'idle', 'completed', 'failed', 'canceled'],
      idle: ['running', 'completed', 'failed', 'canceled'],
      completed: [],
      failed: [],
      canceled: [],
    });
  });

  it.each(PHASES.flatMap((from) => PHASES.map((to) => [from, to] as const)))('from %s to %s', (from, to) => {
    const { state } = testAgent();
    state.phase = from;
    if (from === to) enterPhase(state, to, LATER);
    else if (TRANSITIONS[from].includes(to)) {
      enterPhase(state, to, LATER);
      expect(state).toMatchObject({ phase: to, phase_since: LATER });
    } else expect(() => enterPhase(state, to, LATER)).toThrow(`no transition from ${from} to ${to}`);
  });

  it('lets a kill end every phase that is not terminal', () => {
    for (const phase of PHASES.filter((each) => !(TERMINAL_PHASES as readonly string[]).includes(each))) {
      expect(TRANSITIONS[phase]).toContain('canceled');
    }
  });

  it('records each change of phase or reason once', () => {
    const { state } = testAgent();
    const before = state.outbox.length;
    enterPhase(state, 'running', LATER);
    enterPhase(state, 'running', LATER);
    enterPhase(state, 'running', LATER, 'replacing the machine');
    expect(state.outbox.slice(before).map(({ event }) => event)).toEqual([
      { type: 'phase', phase: 'running' },
      { type: 'phase', phase: 'running', reason: 'replacing the machine' },
    ]);
  });
});

describe('requestEnd', () => {
  const order = (how: EndRequest['how']): EndRequest => ({ how, by: 'tess', reason: undefined });

  it.each([
    ['stop', 'kill', 'kill'],
    ['fail', 'kill', 'kill'],
    ['kill', 'stop', 'kill'],
    ['kill', 'kill', 'kill'],
    ['stop', 'fail', 'stop'],
    ['terminate', 'stop', 'terminate'],
  ] as const)('a %s followed by a %s is a %s', (first, second, result) => {
    const { state } = testAgent();
    expect(requestEnd(state, order(first))).toBe(true);
    expect(requestEnd(state, order(second))).toBe(second === 'kill' && first !== 'kill');
    expect(state.end?.how).toBe(result);
  });
});

describe('the carried state', () => {
  it('survives JSON, and its run counters are reset', () => {
    const agent = testAgent({ tasks: ['a'], out: 'push' });
    agent.begin();
    agent.end();
    const carried = JSON.parse(JSON.stringify(carriedState(agent.state))) as unknown;
    expect(carried).toEqual(JSON.parse(JSON.stringify({ ...agent.state, run: { turns: 0, signals: 0 } })));
  });

  it("numbers a later life's events from the last of the life before (ADR 32)", () => {
    const state = initialState(agentSpec({ events_after: 7 }), NOW);
    expect(state.outbox.map(({ seq }) => seq)).toEqual([8]);
  });

  it('starts with the prompt, the checklist of the spawn and the first event', () => {
    const state = initialState(agentSpec({ tasks: ['a', 'b'], spawn_id: 's1' }), NOW);
    expect(state.due.map((input) => [input.id, input.kind])).toEqual([['s1', 'prompt']]);
    expect(state.tasks.map((task) => [task.id, task.subject])).toEqual([
      ['1', 'a'],
      ['2', 'b'],
    ]);
    expect(state.outbox).toEqual([{ seq: 1, at: NOW, event: { type: 'phase', phase: 'starting' } }]);
  });
});
