// The notice of a budget that is used to 80 %: delivered once, within a turn or with the next one.
import { describe, expect, it } from '@jest/globals';
import type { TurnNotice } from '../../../../contract/wire/turns.ts';
import { noticeForTurn } from '../../../../workflows/agent/budget/spending.ts';
import { SIGNAL_HANDLERS } from '../../../../workflows/agent/signals.ts';
import { recordUsage } from '../../../../workflows/agent/budget/spending.ts';
import { message, NOW, testAgent, texts } from '../../../fixtures/agent-state.ts';
import type { TestAgent } from '../../../fixtures/agent-state.ts';

const BUDGET = /The budget of .* is used to/;

/** An agent with a limit of one dollar and a running turn. */
function spender(): TestAgent {
  const agent = testAgent({ max_cost_usd: 1 });
  agent.state.vm = { name: 'm', provider: 'fake', isolation: 'none', state: 'running' };
  agent.begin();
  return agent;
}

function report({ state, spec }: TestAgent, usd: number): TurnNotice | undefined {
  recordUsage(state, spec, { turn_id: state.turn?.id ?? '', used_usd: usd }, NOW);
  return noticeForTurn(state);
}

/** Whether the next turn's prompt has the notice. */
function nextPromptHasNotice(agent: TestAgent): boolean {
  agent.state.queue.push(message('go on'));
  return texts(agent.begin().inputs).some((text) => BUDGET.test(text));
}

describe('the notice of a budget that is used to 80 %', () => {
  it('is delivered to the running turn when that point is reached', () => {
    const agent = spender();
    expect(report(agent, 0.79)).toBeUndefined();
    expect(report(agent, 0.81)?.text).toMatch(/is used to 81 % \(\$0\.81 of \$1\.00\)/);
  });

  it('keeps its id while its contents do not change', () => {
    const agent = spender();
    expect(report(agent, 0.85)).toEqual(report(agent, 0.81));
  });

  it('is not delivered with the next turn if the model has read it', () => {
    const agent = spender();
    const { id = '' } = report(agent, 0.81) ?? {};
    agent.end({ notices: [id], cost: { usd: 0.82, by_model: {} } });
    expect(nextPromptHasNotice(agent)).toBe(false);
  });

  it.each(['completed', 'interrupted', 'crashed', 'cut_off', 'api_error'] as const)(
    'is delivered with the next turn if the running one ended as %s without it',
    (status) => {
      const agent = spender();
      report(agent, 0.81);
      agent.end({ status, cost: { usd: 0.82, by_model: {} } });
      expect(nextPromptHasNotice(agent)).toBe(true);
      expect(noticeForTurn(agent.state)).toBeUndefined();
    },
  );

  it('is delivered with the next turn if it is newer than the one that the model has read', () => {
    const agent = spender();
    const { id = '' } = report(agent, 0.81) ?? {};
    const notice = { path: '/w/acme/u/tess/above', limit_usd: 9, used_usd: 8 };
    SIGNAL_HANDLERS.budgetNotice(agent.state, notice, NOW, agent.spec);
    expect(noticeForTurn(agent.state)?.id).not.toBe(id);
    agent.end({ notices: [id] });
    expect(nextPromptHasNotice(agent)).toBe(true);
  });

  it('is delivered again if its turn was lost before the model answered', () => {
    const agent = spender();
    report(agent, 0.81);
    agent.end({ cost: { usd: 0.82, by_model: {} } });
    expect(nextPromptHasNotice(agent)).toBe(true);
    agent.end({ status: 'crashed', answered: false, response: '' });
    expect(nextPromptHasNotice(agent)).toBe(true);
    agent.end({ status: 'crashed', answered: true });
    expect(nextPromptHasNotice(agent)).toBe(false);
  });

  it('is not delivered to a turn that is about to end', () => {
    const agent = spender();
    report(agent, 0.81);
    SIGNAL_HANDLERS.interrupt(agent.state, { id: 'i', from: 'tess' }, NOW, agent.spec);
    expect(noticeForTurn(agent.state)).toBeUndefined();
  });

  it('is delivered to an idle agent with its next turn', () => {
    const agent = spender();
    agent.end({ cost: { usd: 0.1, by_model: {} } });
    const notice = { path: '/w/acme/u/tess/above', limit_usd: 9, used_usd: 8 };
    SIGNAL_HANDLERS.budgetNotice(agent.state, notice, NOW, agent.spec);
    expect(noticeForTurn(agent.state)).toBeUndefined();
    expect(nextPromptHasNotice(agent)).toBe(true);
  });
});
