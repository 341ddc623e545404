import { describe, expect, it } from '@jest/globals';
import { startAgent } from '../../fixtures/running-agent.ts';
import { promptOf } from '../../fixtures/stub-activities.ts';
import { sharedTemporalForFile } from '../../fixtures/temporal-for-file.ts';
import { gate } from '../../fixtures/waiting.ts';

const temporal = sharedTemporalForFile();

const WORKERS = [
  { name: 'a worker with a cache', options: {} },
  // Replays the history on every task, so anything non-deterministic fails here.
  { name: 'a worker without a cache', options: { maxCachedWorkflows: 0 } },
];

describe.each(WORKERS)('an agent on $name', ({ options }) => {
  it('runs its prompt, idles, answers a follow-up and is canceled by a kill', async () => {
    await using agent = await startAgent(temporal, {}, {}, options);
    const first = await agent.untilIdle();
    expect(first).toMatchObject({ response: 'answer 1', saved_turn: 1, cost: { total_usd: 0.25 }, queued: [] });
    await agent.queueAdd('and the docs');
    const second = await agent.until((now) => now.response === 'answer 2' && now.phase === 'idle');
    expect(second).toMatchObject({ working_on: 'and the docs', cost: { total_usd: 0.5 } });
    await agent.handle.signal('kill', { id: 'k1', from: 'tess' });
    const result = await agent.result();
    expect(result).toMatchObject({ phase: 'canceled', reason: 'killed by tess', cost: { usd: 0.5 } });
    expect(result.receipt).toEqual([
      {
        path: `/${agent.handle.workflowId}`,
        phase: 'canceled',
        machine: agent.spec.machine.name,
        machine_state: 'destroyed',
        snapshot: 'agents/a/snapshots/last',
        cost_usd: 0.5,
      },
    ]);
    expect(agent.stub.turns.map(promptOf)).toEqual(['Fix the timeout', 'and the docs']);
    expect(agent.stub.log.map(({ event }) => (event.type === 'phase' ? event.phase : event.type))).toEqual([
      'starting',
      'running',
      'taskComplete',
      'task-complete',
      'idle',
      'followUp',
      'running',
      'taskComplete',
      'task-complete',
      'idle',
      'note',
      'canceled',
    ]);
  }, 120_000);

  it('delivers a sent message as a turn of its own ahead of the queue, and clear does not remove it', async () => {
    const first = gate();
    await using agent = await startAgent(temporal, { turn: async () => (await first.opened, {}) }, {}, options);
    await agent.until((now) => now.turn?.running === true);
    await agent.queueAdd('queued 1');
    await agent.send('sent 1');
    await agent.send('sent 2');
    expect((await agent.until((now) => now.queued.length === 3)).queued).toEqual(['sent 1', 'sent 2', 'queued 1']);
    await expect(agent.handle.executeUpdate('clearQueue', { args: [{ id: 'c', from: 'tess' }] })).resolves.toEqual({
      cleared: 1,
    });
    await agent.queueAdd('queued 2');
    await agent.queueAdd('queued 3');
    first.open();
    await agent.untilIdle();
    expect(agent.stub.turns.map(promptOf)).toEqual(['Fix the timeout', 'sent 1', 'sent 2', 'queued 2\nqueued 3']);
  }, 120_000);

  it('ends an interrupted turn and continues with the waiting messages', async () => {
    await using agent = await startAgent(
      temporal,
      { turn: (input) => (input.number === 1 ? 'wait' : {}) },
      {},
      options,
    );
    await agent.until((now) => now.turn?.running === true);
    await agent.handle.signal('interrupt', { id: 'i1', from: 'tess' });
    const idle = await agent.untilIdle();
    expect(idle).toMatchObject({ phase: 'idle', reason: 'interrupted by tess; waits for a message' });
    expect(agent.stub.interrupts.map((each) => each.turn_id)).toEqual([idle.turn?.id]);
    await agent.queueAdd('go on');
    expect(await agent.until((now) => now.response === 'answer 2' && !now.pending_input)).not.toHaveProperty('reason');
  }, 120_000);

  it('ends after the running turn when it is stopped, and lists undelivered messages', async () => {
    const first = gate();
    await using agent = await startAgent(temporal, { turn: async () => (await first.opened, {}) }, {}, options);
    await agent.until((now) => now.turn?.running === true);
    await agent.queueAdd('too late');
    await agent.handle.signal('stop', { id: 's1', from: 'tess' });
    first.open();
    expect(await agent.result()).toMatchObject({ phase: 'completed', reason: 'stopped by tess' });
    const record = agent.stub.ends[agent.stub.ends.length - 1]?.record;
    expect(record?.status).toMatchObject({ phase: 'completed', undelivered: ['too late'], response: 'answer 1' });
  }, 120_000);
});
