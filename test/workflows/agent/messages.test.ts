import { describe, expect, it } from '@jest/globals';
import { WorkflowUpdateFailedError } from '@temporalio/client';
import { ApplicationFailure } from '@temporalio/common';
import type { Task } from '../../../contract/wire/tasks.ts';
import { startAgent } from '../../fixtures/running-agent.ts';
import type { RunningAgent } from '../../fixtures/running-agent.ts';
import { promptOf } from '../../fixtures/stub-activities.ts';
import { sharedTemporalForFile } from '../../fixtures/temporal-for-file.ts';
import { gate } from '../../fixtures/waiting.ts';

const temporal = sharedTemporalForFile();

/** Sends a signal with a raw payload, as the Web UI does. */
async function signalRaw(agent: RunningAgent, name: string, encoding: string | undefined, data: string): Promise<void> {
  const payload = {
    metadata: encoding === undefined ? {} : { encoding: Buffer.from(encoding) },
    data: Buffer.from(data),
  };
  await temporal.client.workflowService.signalWorkflowExecution({
    namespace: temporal.namespace,
    workflowExecution: { workflowId: agent.handle.workflowId },
    signalName: name,
    input: { payloads: [payload] },
  });
}

describe('a signal sent by hand', () => {
  it.each([
    ['JSON text', 'json/plain', '"by hand"'],
    ['text that is not JSON', 'json/plain', 'by hand'],
    ['plain text', 'binary/plain', 'by hand'],
    ['text without an encoding', undefined, 'by hand'],
    ['an object', 'json/plain', '{"text":"by hand"}'],
  ])(
    'is delivered as %s',
    async (_, encoding, data) => {
      await using agent = await startAgent(temporal);
      await agent.untilIdle();
      await signalRaw(agent, 'queueAdd', encoding, data);
      await agent.until((now) => now.response === 'answer 2');
      expect(agent.stub.turns.map(promptOf)).toEqual(['Fix the timeout', 'by hand']);
    },
    120_000,
  );

  it('that cannot be decoded becomes a note, and the agent continues', async () => {
    await using agent = await startAgent(temporal);
    await agent.untilIdle();
    await signalRaw(agent, 'queueAdd', 'json/protobuf', '\u0000\u0001');
    await signalRaw(agent, 'queueAdd', 'json/plain', '{"no":"text"}');
    await agent.handle.signal('queueAdd');
    await agent.handle.signal('__temporal_made_up', 'x').catch(() => undefined);
    await agent.handle.signal('makeCoffee', { sugar: true });
    await agent.handle.signal('interrupt');
    await agent.queueAdd('still there');
    await agent.until((now) => now.response === 'answer 2');
    const { timeline = [] } = await agent.handle.query<{ timeline?: { type: string; text?: string }[] }, [unknown]>(
      'status',
      { timeline: [] },
    );
    expect(timeline.map((entry) => entry.text)).toEqual([
      expect.stringContaining('queueAdd was dropped: its payload is unreadable'),
      'queueAdd was dropped: its payload has no text',
      'queueAdd was dropped: it has no text',
      'interrupt by operator: no turn was running',
    ]);
  }, 120_000);

  it('kills without a payload', async () => {
    await using agent = await startAgent(temporal);
    await agent.untilIdle();
    await signalRaw(agent, 'kill', 'json/plain', 'enough');
    expect(await agent.result()).toMatchObject({ phase: 'canceled', reason: 'killed by operator: enough' });
  }, 120_000);
});

describe('a message', () => {
  it('that is sent again under its id is delivered once', async () => {
    await using agent = await startAgent(temporal);
    await agent.untilIdle();
    for (let times = 0; times < 3; times += 1) await agent.queueAdd('once', { id: 'same' });
    await agent.until((now) => now.response === 'answer 2' && !now.pending_input);
    await agent.queueAdd('once', { id: 'same' });
    await agent.queueAdd('last');
    await agent.until((now) => now.response === 'answer 3' && !now.pending_input);
    expect(agent.stub.turns.map(promptOf)).toEqual(['Fix the timeout', 'once', 'last']);
  }, 120_000);
});

describe('an update', () => {
  const failureOf = async (update: Promise<unknown>): Promise<unknown> => {
    const error = await update.then(
      () => undefined,
      (reason: unknown) => reason,
    );
    expect(error).toBeInstanceOf(WorkflowUpdateFailedError);
    const { cause } = error as WorkflowUpdateFailedError;
    expect(cause).toBeInstanceOf(ApplicationFailure);
    const { type, details } = cause as ApplicationFailure;
    return { type, body: details?.[0] };
  };

  it('returns its result', async () => {
    await using agent = await startAgent(temporal);
    await agent.untilIdle();
    const task = await agent.handle.executeUpdate<Task, [object]>('taskCreate', { args: [{ subject: 'lint' }] });
    expect(task).toMatchObject({ id: '1', subject: 'lint', status: 'pending' });
    await agent.handle.executeUpdate('taskCreate', { args: [{ subject: 'test' }] });
    const linked = await agent.handle.executeUpdate<Task, [object]>('taskUpdate', {
      args: [{ task_id: '2', add_blocked_by: ['1'] }],
    });
    expect(linked.blocked_by).toEqual(['1']);
    expect(await agent.handle.query<Task, [object]>('taskGet', { task_id: '1' })).toMatchObject({ blocks: ['2'] });
    await expect(
      agent.handle.executeUpdate('setStrategy', { args: [{ id: 's', from: 'tess', strategy: 'one' }] }),
    ).resolves.toEqual({ strategy: 'one' });
    const text = { text: 'for later', ref: 'texts/long', bytes: 50_000 };
    await agent.handle.signal('notify', { id: 'n', from: 'jane', at: new Date().toISOString(), text });
    expect(await agent.handle.query('waiting')).toEqual([{ from: 'jane', bytes: 50_000 }]);
    expect(await agent.status()).toMatchObject({ dequeue_strategy: 'one', tasks: { total: 2, open: 2 } });
  }, 120_000);

  it.each([
    ['taskUpdate', { task_id: '7' }, 'NOT_FOUND', 'no task "7"'],
    ['taskCreate', { subject: '' }, 'INVALID_ARGUMENT', 'the subject of a task is empty'],
    ['taskCreate', null, 'INVALID_ARGUMENT', 'the payload is not an object'],
    ['setStrategy', { strategy: 'two' }, 'INVALID_ARGUMENT', 'invalid strategy "two"'],
  ])(
    '%s with %j is refused as %s',
    async (name, input, code, message) => {
      await using agent = await startAgent(temporal);
      await agent.untilIdle();
      const failure = await failureOf(agent.handle.executeUpdate(name, { args: [input] }));
      expect(failure).toMatchObject({ type: code, body: { code, message } });
      expect((await agent.status()).phase).toBe('idle');
    },
    120_000,
  );

  it('of an unknown name is refused and has no effect', async () => {
    await using agent = await startAgent(temporal);
    await agent.untilIdle();
    await expect(agent.handle.executeUpdate('makeTea')).rejects.toThrow();
    await expect(agent.handle.query('makeTea')).rejects.toThrow();
    await agent.queueAdd('still there');
    await agent.until((now) => now.response === 'answer 2');
  }, 120_000);
});

describe('the dequeue strategy', () => {
  it.each([
    ['all', [7]],
    ['one', [1, 1, 1, 1, 1, 1, 1]],
    ['five', [5, 2]],
  ] as const)(
    '%s batches the waiting messages',
    async (dequeue_strategy, batches) => {
      const first = gate();
      await using agent = await startAgent(
        temporal,
        { turn: async () => (await first.opened, {}) },
        { dequeue_strategy },
      );
      await agent.until((now) => now.turn?.running === true);
      for (let index = 0; index < 7; index += 1) await agent.queueAdd(`m${index.toString()}`);
      first.open();
      await agent.untilIdle();
      expect(agent.stub.turns.slice(1).map((turn) => turn.inputs.length)).toEqual(batches);
    },
    120_000,
  );
});
