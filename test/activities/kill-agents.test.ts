import { describe, expect, it } from '@jest/globals';
import type { AgentResult } from '../../contract/wire/agent.ts';
import { activityBench, attempt } from '../fixtures/activity-bench.ts';

function ended(agent: string): AgentResult {
  const line = { path: `/${agent}`, phase: 'canceled', machine: 'm', machine_state: 'destroyed', cost_usd: 1 } as const;
  return { phase: 'canceled', receipt: [line], cost: { usd: 1, by_model: {} }, total_usd: 3 };
}

describe('killAgents', () => {
  it('tells all before it waits for any, and names those that left no receipt', async () => {
    await using bench = await activityBench();
    const told: string[] = [];
    Object.assign(bench.ports, {
      control: {
        signal: async (agent: string) => void told.push(agent),
        result: async (agent: string) => {
          expect(told).toContain('w/a');
          return agent === 'w/gone' ? undefined : ended(agent);
        },
      },
    });
    const input = { agents: ['w/a', 'w/b', 'w/gone'], order: { id: 'k', from: 'tess' } };
    const { receipt, ended: ends, unanswered } = await attempt(bench.worker().activities.killAgents, input).result;
    expect(told).toEqual(['w/a', 'w/b', 'w/gone']);
    expect(receipt.map(({ path }) => path)).toEqual(['/w/a', '/w/b']);
    expect(ends).toEqual(['w/a', 'w/b'].map((agent) => ({ agent, phase: 'canceled', total_usd: 3 })));
    expect(unanswered).toEqual(['w/gone']);
  });
});
