import { describe, expect, it } from '@jest/globals';
import type { StartOutcome } from '../../../contract/wire/fanout/messages.ts';
import { SIGNAL_HANDLERS } from '../../../workflows/fanout/signals.ts';
import {
  canStart,
  drop,
  dropRest,
  endFanout,
  initialState,
  isDone,
  progressOf,
  release,
  resultOf,
  takeBatch,
  takeOutcomes,
} from '../../../workflows/fanout/state.ts';

const INPUT = { plan: 'p', count: 5, max_concurrent: 2 };

function outcomes(result: 'started' | 'later' | 'orphaned', ...indices: number[]): StartOutcome[] {
  return indices.map((index) => ({ index, result }));
}

describe('a fan-out', () => {
  it('starts agents in order, and the next one when a slot is released', () => {
    const state = initialState();
    expect(takeBatch(state, INPUT)).toEqual([0, 1]);
    takeOutcomes(state, outcomes('started', 0, 1));
    expect(canStart(state, INPUT)).toBe(false);
    release(state, 0);
    release(state, 0);
    expect(takeBatch(state, INPUT)).toEqual([2]);
  });

  it('counts a slot that is released before its start is confirmed', () => {
    const state = initialState();
    takeBatch(state, INPUT);
    release(state, 1);
    takeOutcomes(state, outcomes('started', 0, 1));
    expect(state.busy).toEqual([0]);
    expect(takeBatch(state, INPUT)).toEqual([2]);
  });

  it('gives the slot of an agent that failed to start to the next one', () => {
    const state = initialState();
    takeBatch(state, INPUT);
    takeOutcomes(state, [...outcomes('started', 0), { index: 1, result: 'failed', message: 'taken' }]);
    expect(takeBatch(state, INPUT)).toEqual([2]);
    expect(progressOf(state)).toEqual({ next: 3, starting: [2], dropped: [], failed: [1] });
  });

  it('first retries agents for which the tree was full', () => {
    const state = initialState();
    takeBatch(state, INPUT);
    takeOutcomes(state, [...outcomes('started', 0), ...outcomes('later', 1)]);
    expect(state.refusals).toBe(1);
    expect(progressOf(state).starting).toEqual([1]);
    expect(takeBatch(state, INPUT)).toEqual([1]);
    takeOutcomes(state, outcomes('started', 1));
    expect(state.refusals).toBe(0);
  });

  it('never starts agents that were killed while they waited, and does not touch running ones', () => {
    const state = initialState();
    takeBatch(state, INPUT);
    takeOutcomes(state, outcomes('started', 0, 1));
    drop(state, [0, 3, 3], 'alice');
    drop(state, [3], 'bob');
    expect(state.drops).toEqual([{ index: 3, by: 'alice' }]);
    release(state, 0);
    release(state, 1);
    expect(takeBatch(state, INPUT)).toEqual([2, 4]);
  });

  it('drops an agent that was killed during its start only if the start failed', () => {
    const state = initialState();
    takeBatch(state, INPUT);
    drop(state, [0, 1], 'alice');
    takeOutcomes(state, [...outcomes('started', 0), ...outcomes('later', 1)]);
    expect(state).toMatchObject({ busy: [0], dropped: [1], postponed: [], drops: [{ index: 1, by: 'alice' }] });
  });

  it('drops all waiting agents when it is ended, and when their parent has ended', () => {
    for (const end of ['order', 'parent'] as const) {
      const state = initialState();
      takeBatch(state, INPUT);
      takeOutcomes(state, end === 'parent' ? outcomes('orphaned', 0, 1) : outcomes('started', 0, 1));
      if (end === 'order') endFanout(state, { by: 'alice', reason: 'killed by alice' });
      expect(takeBatch(state, INPUT)).toEqual([]);
      dropRest(state, INPUT.count, state.end?.by ?? '');
      expect(state.drops.map(({ index }) => index)).toEqual(end === 'parent' ? [0, 1, 2, 3, 4] : [2, 3, 4]);
      expect(isDone(state, INPUT)).toBe(false);
      state.drops = [];
      expect(isDone(state, INPUT)).toBe(true);
      expect(resultOf(state, INPUT).dropped).toBe(end === 'parent' ? 5 : 3);
    }
  });

  it('accepts any payload sent by hand', () => {
    const state = initialState();
    for (const payload of [undefined, null, 7, 'x', {}, { index: 'a' }, { indices: [-1, 1.5, 99, null] }]) {
      SIGNAL_HANDLERS.released(state, payload, INPUT);
      SIGNAL_HANDLERS.drop(state, payload, INPUT);
    }
    expect(state).toEqual(initialState());
    SIGNAL_HANDLERS.dropAll(state, 'no more', INPUT);
    expect(state.end).toEqual({ by: 'operator', reason: 'no more' });
  });
});
