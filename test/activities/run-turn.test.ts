// The activity of a turn: followed by one worker, handed over to the next.
import { describe, expect, it } from '@jest/globals';
import { CancelledFailure } from '@temporalio/activity';
import { ActivityCancellationDetails, ApplicationFailure } from '@temporalio/common';
import { HANDOVER, MACHINE_LOST } from '../../contract/wire/activities.ts';
import { MurmurError } from '../../contract/wire/errors.ts';
import { activityBench, attempt, rejection } from '../fixtures/activity-bench.ts';
import { eventually } from '../fixtures/waiting.ts';

const SAY = { type: 'assistant_text', text: 'working' } as const;

/** A worker's shutdown, as an activity sees it. */
const SHUTDOWN = { cancelRequested: false, workerShutdown: true };

describe('runTurn', () => {
  it('copies every event to the log, and returns the outcome and the key of the stored snapshot', async () => {
    await using bench = await activityBench();
    const { activities } = bench.worker();
    const turn = attempt(activities.runTurn, bench.turn());
    await eventually(() => bench.runner.prompts.length === 1, 'the prompt');
    bench.runner.say(SAY);
    bench.runner.endTurn('completed', { response: 'fixed', files_modified: ['a.ts'] });
    const outcome = await turn.result;
    expect(outcome).toMatchObject({ status: 'completed', response: 'fixed', files_modified: ['a.ts'] });
    expect(await bench.logged()).toEqual(['turn_start', 'assistant_text', 'turn_complete']);
    expect(await bench.ports.objects.get(outcome.snapshot ?? '')).toBeDefined();
  });

  it.each([
    ['gets the outcome with the end of the turn, without another request', false, 1],
    ['requests the outcome from a runner of an earlier build', true, 2],
  ])('%s', async (_, isEarlier, asked) => {
    await using bench = await activityBench();
    bench.runner.isEarlier = isEarlier;
    const { activities } = bench.worker();
    await attempt(activities.prepareAgent, { spec: bench.spec }).result;
    const turn = attempt(activities.runTurn, bench.turn());
    await eventually(() => bench.runner.prompts.length === 1, 'the prompt');
    bench.runner.say(SAY);
    bench.runner.endTurn('completed', { response: 'fixed' });
    expect(await turn.result).toMatchObject({ status: 'completed', response: 'fixed' });
    expect(bench.runner.asked).toBe(asked);
  });

  it('does not open the session again in the worker that prepared it, but does in another', async () => {
    await using bench = await activityBench();
    bench.runner.session = '0192f0c1-0000-7000-8000-000000000000';
    const { activities } = bench.worker();
    const prepared = await attempt(activities.prepareAgent, { spec: bench.spec }).result;
    expect(prepared.session_id).toBe(bench.runner.session);
    expect(bench.runner.opens.map(({ session_id }) => session_id)).toEqual([bench.spec.session_id]);
    const turn = attempt(activities.runTurn, bench.turn({ session_id: bench.runner.session }));
    await eventually(() => bench.runner.prompts.length === 1, 'the prompt');
    bench.runner.endTurn();
    expect(await turn.result).not.toHaveProperty('session_id');
    expect(bench.runner.opens).toHaveLength(1);
    const next = attempt(
      bench.worker().activities.runTurn,
      bench.turn({ turn_id: 't2', session_id: bench.runner.session }),
    );
    await eventually(() => bench.runner.prompts.length === 2, 'the next prompt');
    bench.runner.endTurn();
    expect(await next.result).toMatchObject({ session_id: bench.runner.session });
    expect(bench.runner.opens.map(({ session_id }) => session_id)).toEqual([
      bench.spec.session_id,
      bench.runner.session,
    ]);
  });

  it('is re-attached by the next worker after the death of its own, and the model is called once', async () => {
    await using bench = await activityBench();
    // This attempt is of a frozen worker, and does not know that it was superseded.
    const first = attempt(bench.worker().activities.runTurn, bench.turn());
    await eventually(() => bench.runner.prompts.length === 1, 'the prompt');
    bench.runner.say(SAY);
    const second = attempt(bench.worker().activities.runTurn, bench.turn(), { attempt: 2 });
    bench.runner.say(SAY);
    bench.runner.endTurn();
    await expect(second.result).resolves.toMatchObject({ status: 'completed' });
    await first.result;
    expect(bench.runner.prompts).toHaveLength(1);
    expect(await bench.logged()).toEqual(['turn_start', 'assistant_text', 'assistant_text', 'turn_complete']);
  });

  it('ends at once if the turn has ended and the log has all its events', async () => {
    await using bench = await activityBench();
    const first = attempt(bench.worker().activities.runTurn, bench.turn());
    await eventually(() => bench.runner.prompts.length === 1, 'the prompt');
    bench.runner.endTurn();
    await first.result;
    const again = attempt(bench.worker().activities.runTurn, bench.turn(), { attempt: 2 });
    await expect(again.result).resolves.toMatchObject({ status: 'completed' });
    expect(await bench.logged()).toEqual(['turn_start', 'turn_complete']);
  });

  it('copies the missing events if the turn ended while no worker ran', async () => {
    await using bench = await activityBench();
    await bench.runner.client.open({
      repos: [],
      session_id: bench.spec.session_id,
      backend: 'fake',
      env: {},
      secret_names: [],
    });
    await bench.runner.client.turn({ turn_id: 'turn-1', number: 1, prompt: 'fix it', inputs: [] });
    bench.runner.say(SAY);
    bench.runner.endTurn();
    await attempt(bench.worker().activities.runTurn, bench.turn(), { attempt: 2 }).result;
    expect(await bench.logged()).toEqual(['turn_start', 'assistant_text', 'turn_complete']);
    expect(bench.runner.prompts).toHaveLength(1);
  });

  it('is handed over when its worker shuts down, without an interrupt', async () => {
    await using bench = await activityBench();
    const { activities, handover } = bench.worker();
    const turn = attempt(activities.runTurn, bench.turn());
    await eventually(() => bench.runner.prompts.length === 1, 'the prompt');
    handover.abort();
    const failure = await rejection(turn.result);
    expect(failure).toBeInstanceOf(ApplicationFailure);
    expect(failure).toMatchObject({ type: HANDOVER, nonRetryable: false, nextRetryDelay: '10ms' });
    expect(bench.runner.interrupts).toEqual([]);
    const next = attempt(bench.worker().activities.runTurn, bench.turn(), { attempt: 2 });
    bench.runner.endTurn();
    await expect(next.result).resolves.toMatchObject({ status: 'completed' });
    expect(bench.runner.prompts).toHaveLength(1);
  });

  it('is handed over, not ended, if a shutdown cancels it', async () => {
    await using bench = await activityBench();
    const turn = attempt(bench.worker().activities.runTurn, bench.turn());
    await eventually(() => bench.runner.prompts.length === 1, 'the prompt');
    turn.env.cancel('WORKER_SHUTDOWN', new ActivityCancellationDetails(SHUTDOWN));
    expect(await rejection(turn.result)).toMatchObject({ type: HANDOVER });
    expect(bench.runner.interrupts).toEqual([]);
  });

  it('interrupts the turn when the workflow cancels it', async () => {
    await using bench = await activityBench();
    const turn = attempt(bench.worker().activities.runTurn, bench.turn());
    await eventually(() => bench.runner.prompts.length === 1, 'the prompt');
    turn.env.cancel('CANCELLED', new ActivityCancellationDetails({ cancelRequested: true }));
    expect(await rejection(turn.result)).toBeInstanceOf(CancelledFailure);
    expect(bench.runner.interrupts).toEqual(['turn-1']);
  });

  it('is not started by a worker that is shutting down', async () => {
    await using bench = await activityBench();
    const { activities, handover } = bench.worker();
    handover.abort();
    expect(await rejection(attempt(activities.runTurn, bench.turn()).result)).toMatchObject({ type: HANDOVER });
    expect(bench.runner.prompts).toEqual([]);
  });

  it('is followed once per worker: a later attempt aborts the earlier one', async () => {
    await using bench = await activityBench();
    const { activities } = bench.worker();
    const first = attempt(activities.runTurn, bench.turn());
    await eventually(() => bench.runner.prompts.length === 1, 'the prompt');
    const second = attempt(activities.runTurn, bench.turn(), { attempt: 2 });
    expect(await rejection(first.result)).toMatchObject({ type: HANDOVER });
    bench.runner.endTurn();
    await expect(second.result).resolves.toMatchObject({ status: 'completed' });
  });

  it('costs no model call if it was interrupted before it started', async () => {
    await using bench = await activityBench();
    const { activities } = bench.worker();
    await attempt(activities.interruptTurn, { spec: bench.spec, turn_id: 'turn-1' }).result;
    const turn = attempt(activities.runTurn, bench.turn());
    await expect(turn.result).resolves.toMatchObject({ status: 'interrupted' });
    expect(bench.runner.prompts).toEqual([]);
  });

  it('fails with MachineLost if its machine is gone, and creates none', async () => {
    await using bench = await activityBench();
    await bench.provider.lose(bench.spec.machine.name);
    const failure = await rejection(attempt(bench.worker().activities.runTurn, bench.turn()).result);
    expect(failure).toMatchObject({ type: MACHINE_LOST, nonRetryable: true });
    expect((await bench.provider.list()).machines).toEqual([]);
  });

  it('is retried if the stream of events breaks, without lost or repeated events', async () => {
    await using bench = await activityBench();
    const { activities } = bench.worker();
    const turn = attempt(activities.runTurn, bench.turn());
    await eventually(() => bench.runner.prompts.length === 1, 'the prompt');
    bench.runner.say(SAY);
    await eventually(async () => (await bench.logged()).length === 2, 'the text in the log');
    bench.runner.breakStreams();
    expect(await rejection(turn.result)).toMatchObject({ type: 'UNAVAILABLE', nonRetryable: false });
    const next = attempt(activities.runTurn, bench.turn(), { attempt: 2 });
    bench.runner.endTurn();
    await next.result;
    expect(await bench.logged()).toEqual(['turn_start', 'assistant_text', 'turn_complete']);
  });
});

describe('a runner that cannot be reached', () => {
  it('is retried with growing delays, and given up after thirty failures in a row', async () => {
    await using bench = await activityBench();
    bench.runner.broken = new MurmurError('UNAVAILABLE', 'the runner does not answer');
    const { activities } = bench.worker();
    const delays: unknown[] = [];
    let heartbeatDetails: unknown;
    for (let attempts = 1; attempts <= 30; attempts += 1) {
      const failed = attempt(activities.runTurn, bench.turn(), { attempt: attempts, heartbeatDetails });
      const failure = (await rejection(failed.result)) as ApplicationFailure;
      expect([failure.type, failure.nonRetryable]).toEqual(['UNAVAILABLE', attempts === 30]);
      delays.push(failure.nextRetryDelay);
      heartbeatDetails = failed.heartbeats[failed.heartbeats.length - 1];
    }
    expect(delays.slice(0, 9)).toEqual([100, 200, 400, 800, 1_600, 3_200, 6_400, 10_000, 10_000]);
  });

  it('counts failures from zero after it was reached', async () => {
    await using bench = await activityBench();
    const turn = attempt(bench.worker().activities.runTurn, bench.turn(), { heartbeatDetails: { failures: 29 } });
    await eventually(() => bench.runner.prompts.length === 1, 'the prompt');
    bench.runner.breakStreams();
    await rejection(turn.result);
    expect(turn.heartbeats[turn.heartbeats.length - 1]).toMatchObject({ failures: 0 });
  });
});

describe('a snapshot that fails', () => {
  it('does not fail the turn, which counts as not saved, and is reported', async () => {
    await using bench = await activityBench();
    bench.runner.snapshotError = new MurmurError('UNAVAILABLE', 'the disk is full');
    const turn = attempt(bench.worker().activities.runTurn, bench.turn());
    await eventually(() => bench.runner.prompts.length === 1, 'the prompt');
    bench.runner.endTurn();
    expect(await turn.result).not.toHaveProperty('snapshot');
    expect(bench.reports).toEqual(['snapshot failed']);
  });
});
