import { describe, expect, it } from '@jest/globals';
import type { AgentSpec } from '../../../../contract/wire/agent.ts';
import { readVerdict } from '../../../../contract/wire/assessment.ts';
import type { AssessReply } from '../../../../contract/wire/assessment.ts';
import { assessmentInput, beginAssessment, endAssessment } from '../../../../workflows/agent/turn/completion.ts';
import { newBudget } from '../../../../workflows/agent/budget/budget.ts';
import { SIGNAL_HANDLERS } from '../../../../workflows/agent/signals.ts';
import { statusOf } from '../../../../workflows/agent/status.ts';
import { canStart } from '../../../../workflows/agent/turn/turn.ts';
import type { Verdict } from '../../../../workflows/agent/turn/completion.ts';
import { message, NOW, testAgent, texts } from '../../../fixtures/agent-state.ts';
import type { TestAgent } from '../../../fixtures/agent-state.ts';

const COST = { usd: 0.5, by_model: {} };
const MISSING: AssessReply = {
  status: 'assessed',
  verdict: { done: false, reason: 'No test.', missing: ['write a test'] },
  cost: COST,
};
const DONE: AssessReply = {
  status: 'assessed',
  verdict: { done: true, reason: 'All there.', missing: [] },
  cost: COST,
};

function assessed(changes: Partial<AgentSpec> = {}): TestAgent & { assess(reply: AssessReply): Verdict } {
  const agent = testAgent({ completion_check: 'assessor', ...changes });
  return {
    ...agent,
    assess: (reply) => {
      beginAssessment(agent.state, `a${String(agent.state.assessments + 1)}`);
      return endAssessment(agent.state, reply, NOW);
    },
  };
}

const notes = ({ state }: TestAgent): string[] =>
  state.timeline.flatMap((entry) => (entry.type === 'note' ? [entry.text] : []));

describe('an assessment', () => {
  it('follows a turn that looks complete, only if it is requested', () => {
    const plain = testAgent();
    plain.begin();
    expect(plain.end()).toEqual({ next: 'rest', complete: true });
    const agent = assessed();
    agent.begin();
    expect(agent.end()).toEqual({ next: 'assess' });
    expect(agent.assess(DONE)).toEqual({ next: 'rest', complete: true });
    expect(agent.state.cost.usd).toBe(0.5);
    expect(notes(agent)).toEqual(['assessment 1 of 3: done: All there.']);
  });

  it('waits for open checklist items, and sees the task, the checklist and the last answer', () => {
    const agent = assessed({ tasks: ['write docs'] });
    agent.begin();
    expect(agent.end()).toEqual({ next: 'continue' });
    agent.begin();
    agent.state.tasks = agent.state.tasks.map((task) => ({ ...task, status: 'done' }));
    expect(agent.end({ response: 'wrote it' })).toEqual({ next: 'assess' });
    const assessment = beginAssessment(agent.state, 'a1');
    expect(assessmentInput(agent.state, agent.spec, assessment)).toMatchObject({
      assess_id: 'a1',
      number: 1,
      task: { text: 'Fix the timeout' },
      checklist: [{ subject: 'write docs', status: 'done' }],
      response: 'wrote it',
    });
  });

  it('makes what is missing the next turn, at most three times, and then names what is still missing', () => {
    const agent = assessed({ on_idle: 'terminate' });
    for (let round = 1; round <= 3; round += 1) {
      agent.begin();
      expect(agent.end()).toEqual({ next: 'assess' });
      expect(agent.assess(MISSING)).toEqual({ next: 'continue' });
      expect(texts(agent.state.due)).toEqual([expect.stringMatching(/No test\.\nMissing:\n- write a test/)]);
    }
    agent.begin();
    expect(agent.end()).toEqual({
      next: 'rest',
      complete: false,
      reason: 'the assessor has found something missing 3 times: write a test',
    });
    expect(notes(agent)).toHaveLength(3);
    // A new request is assessed again.
    agent.state.queue.push(message('and the docs'));
    agent.begin();
    expect(agent.end()).toEqual({ next: 'assess' });
  });

  it('without a verdict counts as not assessed, and the reason says so', () => {
    const agent = assessed();
    agent.begin();
    agent.end();
    const problem = 'the verdict does not have the wanted form';
    const verdict = agent.assess({ status: 'not_assessed', problem, cost: COST });
    expect(verdict).toEqual({ next: 'rest', complete: true, reason: `not assessed: ${problem}` });
    expect(notes(agent)).toEqual([`assessment 1 of 3: not assessed: ${problem}`]);
    expect(agent.state.cost.usd).toBe(0.5);
  });

  it('that is interrupted leaves the agent waiting for a message', () => {
    const agent = assessed();
    agent.begin();
    agent.end();
    beginAssessment(agent.state, 'a1');
    expect(statusOf(agent.state, agent.spec).pending_input).toBe(true);
    agent.state.queue.push(message('wait'));
    expect(canStart(agent.state, 0)).toBe(false);
    agent.state.queue = [];
    SIGNAL_HANDLERS.interrupt(agent.state, { id: 'i', from: 'tess' }, NOW, agent.spec);
    expect(endAssessment(agent.state, { status: 'interrupted', cost: COST }, NOW)).toMatchObject({
      next: 'rest',
      complete: false,
      reason: 'interrupted by tess; waits for a message',
    });
  });

  it('is skipped when the budget is used up, and while children work', () => {
    const agent = assessed();
    agent.begin();
    agent.state.budget = { ...newBudget(0.1, undefined), own_usd: 0 };
    expect(agent.end({ cost: { usd: 0.2, by_model: {} } })).toMatchObject({
      next: 'rest',
      reason: expect.stringContaining('budget'),
    });
    const lead = assessed();
    lead.begin();
    const kid = { slug: 'kid', spawn_id: 'k', phase: 'running', phase_since: NOW, cost_usd: 0 } as const;
    lead.state.children = [kid];
    expect(lead.end()).toMatchObject({ next: 'rest', complete: false, reason: 'waits for its children' });
  });
});

describe('readVerdict', () => {
  it.each([
    [
      { done: true, reason: 'ok', missing: [] },
      { done: true, reason: 'ok', missing: [] },
    ],
    [
      { done: false, reason: 'no test', missing: [' a ', ''] },
      { done: false, reason: 'no test', missing: ['a'] },
    ],
    [
      { done: false, reason: 'no test', missing: [] },
      { done: false, reason: 'no test', missing: ['no test'] },
    ],
    [{ done: true, reason: 'ok', missing: ['a'] }, undefined],
    [{ done: false, reason: '', missing: [] }, undefined],
    [{ done: 'yes', reason: 'ok', missing: [] }, undefined],
    [{ done: true, reason: 'ok' }, undefined],
    [{ done: false, reason: 'ok', missing: [1] }, undefined],
    ['done', undefined],
    [null, undefined],
  ])('of %j is %j', (value, verdict) => {
    expect(readVerdict(value)).toEqual(verdict);
  });

  it('cuts long texts', () => {
    const verdict = readVerdict({
      done: false,
      reason: 'x'.repeat(9_000),
      missing: Array.from({ length: 99 }, () => 'y'.repeat(9_000)),
    });
    expect(JSON.stringify(verdict).length).toBeLessThan(25_000);
  });
});
