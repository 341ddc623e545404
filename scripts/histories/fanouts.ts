// Scenarios of fan-outs.
import { startFanout } from '../../test/fixtures/running-fanout.ts';
import { eventually } from '../../test/fixtures/waiting.ts';
import type { Scenario } from './scenario.ts';

const KILL = { id: 'k1', from: 'tess' } as const;

/** Fan-outs whose agents are only numbers. */
export const FANOUT_SCENARIOS: Readonly<Record<string, Scenario>> = {
  // A moving window, an agent killed while it waits, a failed start, and continue-as-new.
  'fanout-window': async (temporal, keep) => {
    await using fanout = await startFanout(
      temporal,
      { count: 7, max_concurrent: 2, limits: { continue_after_steps: 4 } },
      { outcome: (index) => (index === 4 ? 'failed' : 'works') },
    );
    await eventually(() => fanout.started.length === 2, 'the first two');
    await fanout.handle.signal('drop', { ...KILL, indices: [3] });
    for (const index of [0, 1, 2, 5]) {
      await eventually(() => fanout.started.includes(index), `the start of ${index.toString()}`);
      await fanout.handle.signal('released', { index });
    }
    await fanout.result();
    await keep(fanout.handle.workflowId);
  },
  // A full tree, and a request to end.
  'fanout-ended': async (temporal, keep) => {
    await using fanout = await startFanout(
      temporal,
      { count: 4, max_concurrent: 1 },
      { outcome: (index, attempt) => (index === 0 && attempt === 1 ? 'later' : 'works') },
    );
    await eventually(() => fanout.started.length === 1, 'the first');
    await fanout.handle.signal('dropAll', KILL);
    await fanout.result();
    await keep(fanout.handle.workflowId);
  },
  // At work, with two agents each started, waiting and dropped; also after a check of the slots.
  'fanout-open': async (temporal, keep) => {
    await using fanout = await startFanout(
      temporal,
      { count: 6, max_concurrent: 2, limits: { continue_after_steps: 30 } },
      { outcome: (index) => (index === 5 ? 'failed' : 'works') },
    );
    await eventually(() => fanout.started.length === 2, 'the first two');
    await keep(fanout.handle.workflowId, 'full');
    await fanout.handle.signal('drop', { ...KILL, indices: [2] });
    await eventually(() => fanout.dropped.length === 1, 'the end of the third');
    await keep(fanout.handle.workflowId, 'dropped');
    // The check comes after a minute, which is also how long this waits.
    const looked = (): boolean => fanout.looks() > 0;
    await eventually(looked, 'the look').catch(() => eventually(looked, 'the look at those at work'));
    await fanout.progress();
    await keep(fanout.handle.workflowId, 'looked');
    for (const index of [0, 1, 3]) {
      await eventually(() => fanout.started.includes(index), `the start of ${index.toString()}`);
      await fanout.handle.signal('released', { index });
    }
    await fanout.result();
    await keep(fanout.handle.workflowId);
  },
  'fanout-orphaned': async (temporal, keep) => {
    await using fanout = await startFanout(
      temporal,
      { count: 4, max_concurrent: 1 },
      { outcome: (index) => (index < 2 ? 'started' : 'orphaned') },
    );
    await fanout.result();
    await keep(fanout.handle.workflowId);
  },
  'fanout-canceled': async (temporal, keep) => {
    await using fanout = await startFanout(temporal, { count: 3, max_concurrent: 1 }, { outcome: () => 'works' });
    await eventually(() => fanout.started.length === 1, 'a start');
    await fanout.handle.cancel();
    await fanout.result();
    await keep(fanout.handle.workflowId);
  },
};
