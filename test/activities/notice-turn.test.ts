import { describe, expect, it } from '@jest/globals';
import { createAgentActivities } from '../../activities/agent.ts';
import { MACHINE_LOST } from '../../contract/wire/activities.ts';
import { activityBench, attempt, rejection } from '../fixtures/activity-bench.ts';

const notice = { id: 'n1', text: 'a word' };

describe('noticeTurn', () => {
  it('sends the notice to the runner', async () => {
    await using bench = await activityBench();
    const { activities } = bench.worker();
    await attempt(activities.noticeTurn, { spec: bench.spec, turn_id: 't1', notice }).result;
    expect(bench.runner.notices).toEqual([{ turn_id: 't1', notice }]);
  });

  it('starts no runner if none answers, and fails if the machine is gone', async () => {
    await using bench = await activityBench();
    const ensure = (): never => {
      throw new Error('it was started');
    };
    const runners = { find: async () => undefined, ensure };
    const activities = createAgentActivities({ ...bench.ports, runners });
    const input = { spec: bench.spec, turn_id: 't1', notice };
    await expect(attempt(activities.noticeTurn, input).result).resolves.toBeUndefined();
    await bench.provider.destroy(bench.spec.machine.name);
    expect(await rejection(attempt(activities.noticeTurn, input).result)).toMatchObject({ type: MACHINE_LOST });
  });
});
