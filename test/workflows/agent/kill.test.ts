import { describe, expect, it } from '@jest/globals';
import { Context } from '@temporalio/activity';
import { ApplicationFailure } from '@temporalio/common';
import { startAgent } from '../../fixtures/running-agent.ts';
import { sharedTemporalForFile } from '../../fixtures/temporal-for-file.ts';
import { eventually, gate } from '../../fixtures/waiting.ts';

const temporal = sharedTemporalForFile();

const KILL = { id: 'k1', from: 'tess', reason: 'wrong repository' };

/** Like a clone: heartbeats, and ends when it is cancelled. */
async function untilCancelled(): Promise<void> {
  const context = Context.current();
  const heart = setInterval(() => context.heartbeat(), 100);
  try {
    await context.cancelled;
  } finally {
    clearInterval(heart);
  }
}

describe('kill', () => {
  it('ends an agent whose machine is being created, after the creation was cancelled', async () => {
    const order: string[] = [];
    await using agent = await startAgent(temporal, {
      prepare: async () => {
        try {
          await untilCancelled();
        } finally {
          order.push('prepare stopped');
        }
      },
      end: async () => void order.push('end'),
    });
    await eventually(() => agent.stub.prepared.length > 0, 'preparing');
    await agent.handle.signal('kill', KILL);
    expect(await agent.result()).toMatchObject({ phase: 'canceled', reason: 'killed by tess: wrong repository' });
    expect(order).toEqual(['prepare stopped', 'end']);
    expect(agent.stub.turns).toEqual([]);
    expect(agent.stub.ends[0]?.record.status.undelivered).toEqual(['Fix the timeout']);
  }, 120_000);

  it('interrupts the running turn, ends the agent and keeps the cost of the turn', async () => {
    await using agent = await startAgent(temporal, { turn: () => 'wait' });
    await agent.until((now) => now.turn?.running === true);
    await agent.handle.signal('kill', KILL);
    expect(await agent.result()).toMatchObject({ phase: 'canceled', cost: { usd: 0.25 } });
    expect(agent.stub.interrupts).toHaveLength(1);
    expect(agent.stub.ends[0]).not.toHaveProperty('turn_id');
    expect(agent.stub.log.map(({ event }) => (event.type === 'phase' ? event.phase : event.type))).toEqual([
      'starting',
      'running',
      'note',
      'canceled',
    ]);
  }, 120_000);

  it('ends a parked agent', async () => {
    await using agent = await startAgent(temporal, { turn: () => ({ status: 'api_error' }) });
    await agent.until((now) => now.parked !== undefined);
    await agent.handle.signal('kill', KILL);
    expect(await agent.result()).toMatchObject({ phase: 'canceled' });
  }, 120_000);

  it('that is sent twice takes effect once', async () => {
    const ending = gate();
    await using agent = await startAgent(temporal, { end: () => ending.opened });
    await agent.untilIdle();
    await agent.handle.signal('kill', KILL);
    await eventually(() => agent.stub.ends.length === 1, 'ending');
    await agent.handle.signal('kill', { id: 'k2', from: 'somebody else' });
    ending.open();
    expect(await agent.result()).toMatchObject({ reason: 'killed by tess: wrong repository' });
  }, 120_000);

  it('records a message that arrives while the agent ends', async () => {
    const ending = gate();
    await using agent = await startAgent(temporal, { end: () => ending.opened });
    await agent.untilIdle();
    await agent.handle.signal('kill', KILL);
    await eventually(() => agent.stub.ends.length === 1, 'ending');
    await agent.queueAdd('accepted, but too late');
    ending.open();
    await agent.result();
    const record = agent.stub.ends[agent.stub.ends.length - 1]?.record;
    expect(record?.status.undelivered).toEqual(['accepted, but too late']);
  }, 120_000);

  it('reports a machine that could not be destroyed', async () => {
    await using agent = await startAgent(temporal, {
      end: () => Promise.reject(ApplicationFailure.nonRetryable('the disk is busy', 'FAILED_PRECONDITION')),
    });
    await agent.untilIdle();
    await agent.handle.signal('kill', KILL);
    const { phase, receipt } = await agent.result();
    expect([phase, receipt[0]?.machine_state]).toEqual(['canceled', 'not destroyed: the disk is busy']);
  }, 120_000);

  it('is the effect of a cancellation in Temporal', async () => {
    await using agent = await startAgent(temporal, { turn: () => 'wait' });
    await agent.until((now) => now.turn?.running === true);
    await agent.handle.cancel();
    expect(await agent.result()).toMatchObject({
      phase: 'canceled',
      reason: 'killed by operator: canceled in Temporal',
      receipt: [{ machine_state: 'destroyed' }],
    });
  }, 120_000);

  it('cancels a turn that does not end after the interrupt', async () => {
    await using agent = await startAgent(temporal, {
      turn: async () => (await untilCancelled(), {}),
    });
    await agent.until((now) => now.turn?.running === true);
    await agent.handle.signal('kill', KILL);
    expect(await agent.result()).toMatchObject({ phase: 'canceled' });
    expect(agent.stub.ends).toHaveLength(1);
  }, 120_000);
});
