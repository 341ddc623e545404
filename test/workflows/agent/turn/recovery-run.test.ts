import { describe, expect, it } from '@jest/globals';
import { ApplicationFailure } from '@temporalio/common';
import { HANDOVER, MACHINE_LOST } from '../../../../contract/wire/activities.ts';
import { startAgent } from '../../../fixtures/running-agent.ts';
import { promptOf } from '../../../fixtures/stub-activities.ts';
import { sharedTemporalForFile } from '../../../fixtures/temporal-for-file.ts';

const temporal = sharedTemporalForFile();

const lost = (): ApplicationFailure => ApplicationFailure.nonRetryable('the machine is gone', MACHINE_LOST);

describe('an agent', () => {
  it('gets a new machine when its machine is lost, and the model is told', async () => {
    await using agent = await startAgent(temporal, {
      turn: (input) => {
        if (input.number === 1) throw lost();
        return {};
      },
    });
    const status = await agent.untilIdle();
    expect(agent.stub.prepared).toHaveLength(2);
    expect(status.vm?.state).toBe('running');
    const [, second] = agent.stub.turns;
    expect(second === undefined ? '' : promptOf(second)).toMatch(/The machine was lost[^]*Fix the timeout$/);
  }, 120_000);

  it('fails when its machine cannot be created, and says why', async () => {
    await using agent = await startAgent(temporal, {
      prepare: () => Promise.reject(ApplicationFailure.nonRetryable('no such branch: main', 'NOT_FOUND')),
    });
    expect(await agent.result()).toMatchObject({ phase: 'failed', reason: 'no such branch: main' });
    expect(agent.stub.ends).toHaveLength(1);
    expect(agent.stub.ends[0]?.record.status).toMatchObject({ phase: 'failed', reason: 'no such branch: main' });
  }, 120_000);

  it('fails at the fourth crash of its program in a row', async () => {
    await using agent = await startAgent(temporal, { turn: () => ({ status: 'crashed', response: '' }) });
    expect(await agent.result()).toMatchObject({
      phase: 'failed',
      reason: 'the agent program crashed 4 times in a row',
    });
    expect(agent.stub.turns).toHaveLength(4);
  }, 120_000);

  it('parks on a non-retryable model error, stays reachable, and continues with the next message', async () => {
    const error = {
      kind: 'authentication',
      message: 'invalid key',
      action: 'set a valid key',
      retryable: false,
    } as const;
    await using agent = await startAgent(temporal, {
      turn: (input) => (input.number === 1 ? { status: 'api_error', error } : {}),
    });
    const parked = await agent.until((now) => now.parked !== undefined && now.phase === 'idle');
    expect(parked).toMatchObject({ parked: { reason: 'invalid key; set a valid key' }, pending_input: true });
    await agent.queueAdd('it is set');
    expect(await agent.untilIdle()).not.toHaveProperty('parked');
  }, 120_000);

  it('parks when the turn cannot be run at all', async () => {
    await using agent = await startAgent(temporal, {
      turn: () => Promise.reject(ApplicationFailure.nonRetryable('`claude` is not installed', 'FAILED_PRECONDITION')),
    });
    const parked = await agent.until((now) => now.parked !== undefined && now.phase === 'idle');
    expect(parked.parked?.reason).toContain('`claude` is not installed');
  }, 120_000);

  it('continues the same turn after a handover between workers', async () => {
    await using agent = await startAgent(temporal, {
      turn: (_input, attempt) => {
        if (attempt > 4) return {};
        throw ApplicationFailure.create({ type: HANDOVER, nonRetryable: false, nextRetryDelay: '10ms' });
      },
    });
    await agent.untilIdle();
    expect(agent.stub.turns).toHaveLength(1);
  }, 120_000);

  it('ends by itself once its task is done, with on_idle: terminate', async () => {
    await using agent = await startAgent(temporal, {}, { on_idle: 'terminate' });
    const result = await agent.result();
    expect(result).toMatchObject({ phase: 'completed', receipt: [{ machine_state: 'destroyed' }] });
    expect(result).not.toHaveProperty('reason');
  }, 120_000);

  it('with on_idle: terminate idles instead while something is missing', async () => {
    await using agent = await startAgent(temporal, {}, { on_idle: 'terminate', tasks: ['never done'] });
    const status = await agent.until((now) => now.phase === 'idle');
    expect(status.reason).toBe('open checklist items: never done (after 3 reminders)');
    expect(agent.stub.turns).toHaveLength(4);
  }, 120_000);

  it('continues while the event log cannot be written, and the log gets every event afterwards', async () => {
    let broken = true;
    await using agent = await startAgent(temporal, {
      publish: () => {
        if (broken) throw new Error('the disk is full');
      },
    });
    await agent.untilIdle();
    expect(agent.stub.log).toEqual([]);
    broken = false;
    await agent.queueAdd('more');
    await agent.until((now) => now.response === 'answer 2' && !now.pending_input);
    await agent.handle.signal('kill');
    await agent.result();
    expect(agent.stub.log.map(({ seq }) => seq)).toEqual(agent.stub.log.map((_, index) => index + 1));
    expect(agent.stub.log[0]?.event).toEqual({ type: 'phase', phase: 'starting' });
    expect(agent.stub.log[agent.stub.log.length - 1]?.event).toMatchObject({ type: 'phase', phase: 'canceled' });
  }, 120_000);
});
