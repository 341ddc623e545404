import { setTimeout as pause } from 'node:timers/promises';
import { describe, expect, it } from '@jest/globals';
import type { AgentStatus } from '../../../contract/wire/agent.ts';
import type { Task } from '../../../contract/wire/tasks.ts';
import { followUp, startAgent } from '../../fixtures/running-agent.ts';
import { sharedTemporalForFile } from '../../fixtures/temporal-for-file.ts';
import { eventually } from '../../fixtures/waiting.ts';

const temporal = sharedTemporalForFile();

describe.each([
  { name: 'with a cache', options: {}, messages: 120 },
  { name: 'without a cache', options: { maxCachedWorkflows: 0 }, messages: 60 },
])('continue-as-new on a worker $name', ({ options, messages }) => {
  it(`delivers each of ${messages.toString()} messages once, in the order in which they were acknowledged`, async () => {
    await using agent = await startAgent(
      temporal,
      { turn: async () => (await pause(5), {}) },
      { limits: { continue_after_signals: 20, continue_after_turns: 7 }, dequeue_strategy: 'five' },
      options,
    );
    // Signals reach whichever run is current.
    const handle = temporal.client.workflow.getHandle(agent.handle.workflowId);
    for (let index = 0; index < messages; index += 1) {
      await handle.signal('queueAdd', followUp(`m${index.toString()}`, 'queue', { id: `id-${index.toString()}` }));
      // Sent again by a caller that got no answer, possibly to the next run.
      if (index % 10 === 0)
        await handle.signal('queueAdd', followUp('again', 'queue', { id: `id-${index.toString()}` }));
    }
    const delivered = (): string[] =>
      agent.stub.turns.flatMap((turn) => turn.inputs.map((input) => input.text.text)).slice(1);
    await eventually(() => delivered().length >= messages, 'all messages');
    await eventually(
      async () => !(await handle.query<AgentStatus>('status')).pending_input,
      'the end of the last turn',
    );
    expect(delivered()).toEqual(Array.from({ length: messages }, (_, index) => `m${index.toString()}`));
    const { runId } = await handle.describe();
    expect(runId).not.toBe(agent.handle.firstExecutionRunId);
    // The event log has every event once, in order, across all runs.
    expect(agent.stub.log.map(({ seq }) => seq)).toEqual(agent.stub.log.map((_, index) => index + 1));
    expect(agent.stub.log.filter(({ event }) => event.type === 'followUp')).toHaveLength(messages);
  }, 150_000);
});

describe('a run that continues as new', () => {
  it('loses no message that arrives at that moment, under constant status queries', async () => {
    const [rounds, spread] = [6, 12];
    const sent: string[] = [];
    const sending: Promise<void>[] = [];
    let round = 0;
    let send = (): void => undefined;
    await using agent = await startAgent(
      temporal,
      // The run's events are written before it continues as new.
      { publish: () => send() },
      { limits: { continue_after_turns: 1 } },
    );
    const handle = temporal.client.workflow.getHandle(agent.handle.workflowId);
    send = () => {
      if (round >= rounds) return;
      round += 1;
      for (let index = 0; index < spread; index += 1) {
        const text = `${round.toString()}.${index.toString()}`;
        sent.push(text);
        sending.push(pause(index * 4).then(() => handle.signal('queueAdd', followUp(text, 'queue'))));
      }
    };
    const asked = new AbortController();
    const asking = (async () => {
      while (!asked.signal.aborted) await handle.query('status');
    })();
    await handle.signal('queueAdd', followUp('begin', 'queue'));
    await eventually(() => round >= rounds, 'the last round');
    await Promise.all(sending);
    asked.abort();
    await asking;
    await eventually(
      async () => !(await handle.query<{ pending_input: boolean }>('status')).pending_input,
      'all messages to be taken',
    );
    const taken = agent.stub.turns.flatMap((turn) => turn.inputs.map((input) => input.text.text));
    expect(sent.filter((text) => !taken.includes(text))).toEqual([]);
    expect(agent.stub.log.map(({ seq }) => seq)).toEqual(agent.stub.log.map((_, index) => index + 1));
  }, 150_000);
});

describe('the next run', () => {
  it('has the whole state of the previous run', async () => {
    await using agent = await startAgent(
      temporal,
      { turn: (input) => ({ commits: [{ repo: 'r', branch: 'b', sha: input.turn_id, subject: 's' }] }) },
      { limits: { continue_after_turns: 2 }, tasks: ['stay'] },
    );
    const handle = temporal.client.workflow.getHandle(agent.handle.workflowId);
    // The open item causes three reminders: four turns in two runs.
    await agent.until((now) => now.reason?.includes('after 3 reminders') === true);
    await handle.executeUpdate('setStrategy', { args: [{ id: 's', from: 'tess', strategy: 'one' }] });
    await handle.signal('queueAdd', followUp('more', 'queue'));
    const status = await agent.until((now) => now.working_on === 'more' && now.phase === 'idle');
    expect(status).toMatchObject({ dequeue_strategy: 'one', saved_turn: status.turn?.number, tasks: { open: 1 } });
    expect(status.commits).toBe(status.turn?.number);
    expect(await handle.query<Task[]>('taskList')).toMatchObject([{ id: '1', subject: 'stay' }]);
    const shown = async () => JSON.stringify((await handle.describe()).searchAttributes['MurmurPhase']);
    await eventually(async () => (await shown()) === '["idle"]', 'idle in visibility');
    const { currentDetails } = await handle.query<{ currentDetails: string }>('__temporal_workflow_metadata');
    expect(currentDetails).toContain(agent.spec.identity.path[0]);
  }, 120_000);

  it('keeps waiting for the retry time of a parked agent', async () => {
    const error = {
      kind: 'rate_limit',
      message: 'slow down',
      action: 'wait',
      retryable: true,
      retry_after_ms: 3_000,
    } as const;
    await using agent = await startAgent(
      temporal,
      { turn: (input) => (input.number === 1 ? { status: 'api_error', error } : {}) },
      { limits: { continue_after_turns: 1 } },
    );
    const status = await agent.until((now) => now.response === 'answer 2' && now.phase === 'idle');
    expect(status.parked).toBeUndefined();
    expect(agent.stub.turns[1]?.inputs[0]?.text.text).toContain('slow down');
  }, 120_000);
});
