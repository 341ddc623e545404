// The use for which each activity requests a runner. It decides whether a runner of an earlier build is kept or
// replaced.
import { describe, expect, it } from '@jest/globals';
import { createAgentActivities } from '../../activities/agent.ts';
import type { RunnerUse } from '../../drivers/machines/provider.ts';
import { activityBench, attempt } from '../fixtures/activity-bench.ts';
import { eventually } from '../fixtures/waiting.ts';

async function useBench() {
  const bench = await activityBench();
  const uses: RunnerUse[] = [];
  const runners = {
    find: async () => bench.runner.client,
    ensure: async (_machine: unknown, use: RunnerUse) => {
      uses.push(use);
      return bench.runner.client;
    },
  };
  const activities = createAgentActivities({ ...bench.ports, runners });
  return { bench, uses, activities, [Symbol.asyncDispose]: () => bench[Symbol.asyncDispose]() };
}

describe('the use of a runner by an activity', () => {
  it('is its turn, in every attempt', async () => {
    await using fixture = await useBench();
    const { activities, bench, uses } = fixture;
    const turn = attempt(activities.runTurn, bench.turn(), { attempt: 3 });
    await eventually(() => bench.runner.prompts.length === 1, 'the prompt');
    bench.runner.endTurn();
    await turn.result;
    expect(uses).toEqual([{ turn: 'turn-1' }]);
  });

  it('is `begin` for a workspace, and for the first attempt of an assessment', async () => {
    await using fixture = await useBench();
    const { activities, bench, uses } = fixture;
    await attempt(activities.prepareAgent, { spec: bench.spec }).result;
    const assessment = {
      spec: bench.spec,
      assess_id: 'a1',
      number: 1,
      task: { text: 'x' },
      subject: '',
      checklist: [],
    };
    await attempt(activities.assess, assessment).result;
    expect(uses).toEqual(['begin', 'begin']);
    // It may find the assessment in progress, and must not start a second assessor.
    await attempt(activities.assess, assessment, { attempt: 2 }).result;
    expect(uses.at(-1)).toBe('reach');
  });

  it('is `reach` for an interrupt', async () => {
    await using fixture = await useBench();
    const { activities, bench, uses } = fixture;
    await attempt(activities.interruptTurn, { spec: bench.spec, turn_id: 'turn-1' }).result;
    expect(uses).toEqual(['reach']);
  });
});
