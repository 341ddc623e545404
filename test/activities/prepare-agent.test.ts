import { describe, expect, it } from '@jest/globals';
import { CancelledFailure } from '@temporalio/activity';
import { ActivityCancellationDetails } from '@temporalio/common';
import { HANDOVER } from '../../contract/wire/activities.ts';
import { MurmurError } from '../../contract/wire/errors.ts';
import type { Machine } from '../../drivers/machines/provider.ts';
import { sealSpec } from '../../agents/sealed.ts';
import { activityBench, attempt, rejection } from '../fixtures/activity-bench.ts';
import type { ActivityBench } from '../fixtures/activity-bench.ts';
import { agentSpec } from '../fixtures/agent-spec.ts';
import { eventually, gate } from '../fixtures/waiting.ts';

/** Makes `open` wait, like a clone. */
function slowOpen(bench: ActivityBench): { readonly asked: () => number; open(): void } {
  const { opened, open } = gate();
  const plain = bench.runner.client.open;
  let asked = 0;
  Object.assign(bench.runner.client, {
    open: async (...args: Parameters<typeof plain>) => {
      asked += 1;
      await Promise.race([
        opened,
        new Promise((_, reject) => args[1]?.addEventListener('abort', () => reject(new Error('aborted')))),
      ]);
      return await plain(...args);
    },
  });
  return { asked: () => asked, open };
}

describe('prepareAgent', () => {
  it('creates the machine with the labels of its agent, and opens the session', async () => {
    await using bench = await activityBench();
    await bench.provider.destroy(bench.spec.machine.name);
    const { vm } = await attempt(bench.worker().activities.prepareAgent, { spec: bench.spec }).result;
    expect(vm).toEqual({ name: bench.spec.machine.name, provider: 'fake', isolation: 'none', state: 'running' });
    expect((await bench.provider.list({ agent: bench.agent })).machines).toHaveLength(1);
    expect(bench.runner.opens[0]).not.toHaveProperty('restore');
  });

  it('opens the session for the turns of this worker, but not for those of another', async () => {
    await using bench = await activityBench();
    const { activities } = bench.worker();
    await attempt(activities.prepareAgent, { spec: bench.spec }).result;
    const first = attempt(activities.runTurn, bench.turn());
    await eventually(() => bench.runner.prompts.length === 1, 'the prompt');
    bench.runner.endTurn();
    await first.result;
    expect(bench.runner.opens).toHaveLength(1);
    const second = attempt(bench.worker().activities.runTurn, bench.turn({ turn_id: 'turn-2' }));
    await eventually(() => bench.runner.prompts.length === 2, 'the next prompt');
    bench.runner.endTurn();
    await second.result;
    expect(bench.runner.opens).toHaveLength(2);
  });

  it('appends the events of its input, and continues if the log cannot be written', async () => {
    await using bench = await activityBench();
    const { activities } = bench.worker();
    const events = [{ seq: 1, at: '2026-11-21T09:00:00.000Z', event: { type: 'phase', phase: 'starting' } as const }];
    await attempt(activities.prepareAgent, { spec: bench.spec, events }).result;
    expect(await bench.logged()).toEqual(['phase']);
    Object.assign(bench.ports.events, { append: () => Promise.reject(new MurmurError('UNAVAILABLE', 'disk full')) });
    await attempt(activities.prepareAgent, { spec: bench.spec, events }).result;
    expect(bench.reports).toContain('events could not be written');
  });

  it('is idempotent', async () => {
    await using bench = await activityBench();
    const { activities } = bench.worker();
    const first = await attempt(activities.prepareAgent, { spec: bench.spec }).result;
    expect(await attempt(activities.prepareAgent, { spec: bench.spec }, { attempt: 2 }).result).toEqual(first);
    expect((await bench.provider.list()).machines).toHaveLength(1);
  });

  it('restores the newest snapshot on a new machine, whose journal continues after the log', async () => {
    await using bench = await activityBench();
    const { activities } = bench.worker();
    bench.runner.files = { 'transcript.jsonl': 'conversation', 'repos/app/work tree.tar': 'changes' };
    const turn = attempt(activities.runTurn, bench.turn());
    await eventually(() => bench.runner.prompts.length === 1, 'the prompt');
    bench.runner.endTurn();
    await turn.result;
    await bench.provider.lose(bench.spec.machine.name);
    await attempt(activities.prepareAgent, { spec: bench.spec }).result;
    const request = bench.runner.opens[bench.runner.opens.length - 1];
    expect(request?.journal_after).toBe(2);
    const machine = await bench.provider.connect(bench.spec.machine.name);
    const restored = async (name: string) => (await machine.get(`${request?.restore ?? ''}/${name}`)).toString();
    expect(await restored('transcript.jsonl')).toBe('conversation');
    expect(await restored('repos/app/work tree.tar')).toBe('changes');
  });

  it.each([
    ['NOT_FOUND', 'no branch main', true],
    ['UNAVAILABLE', 'github.com does not answer', false],
  ] as const)('fails with %s (%s), retryable as the error table says', async (type, message, nonRetryable) => {
    await using bench = await activityBench();
    bench.runner.broken = new MurmurError(type, message);
    const failure = await rejection(attempt(bench.worker().activities.prepareAgent, { spec: bench.spec }).result);
    expect(failure).toMatchObject({ type, nonRetryable, details: [{ code: type, message }] });
  });

  it('names a provider that is not configured', async () => {
    await using bench = await activityBench();
    const child = { ...bench.spec.identity, path: [...bench.spec.identity.path, 'kid'] };
    const plain = agentSpec({ identity: child });
    const spec = { ...plain, machine: { ...plain.machine, provider: 'moon' } };
    await sealSpec(bench.ports, spec);
    const failure = await rejection(attempt(bench.worker().activities.prepareAgent, { spec }).result);
    expect(failure).toMatchObject({ type: 'FAILED_PRECONDITION', message: expect.stringContaining('"moon"') });
  });

  it('stops cloning when it is cancelled', async () => {
    await using bench = await activityBench();
    const slow = slowOpen(bench);
    const preparing = attempt(bench.worker().activities.prepareAgent, { spec: bench.spec });
    await eventually(() => slow.asked() === 1, 'the clone');
    preparing.env.cancel('CANCELLED', new ActivityCancellationDetails({ cancelRequested: true }));
    expect(await rejection(preparing.result)).toBeInstanceOf(CancelledFailure);
  });

  it('leaves no machine if it is cancelled during the creation of one', async () => {
    await using bench = await activityBench();
    const { name } = bench.spec.machine;
    await bench.provider.destroy(name);
    bench.provider.holdCreate();
    const preparing = attempt(bench.worker().activities.prepareAgent, { spec: bench.spec });
    await eventually(async () => (await bench.provider.describe(name)).state === 'provisioning', 'half a machine');
    preparing.env.cancel('CANCELLED', new ActivityCancellationDetails({ cancelRequested: true }));
    expect(await rejection(preparing.result)).toBeInstanceOf(CancelledFailure);
    expect((await bench.provider.list()).machines).toEqual([]);
  });

  it('hands an unfinished machine over to the next worker when its own shuts down', async () => {
    await using bench = await activityBench();
    const { name } = bench.spec.machine;
    await bench.provider.destroy(name);
    const goOn = bench.provider.holdCreate();
    const { activities, handover } = bench.worker();
    const preparing = attempt(activities.prepareAgent, { spec: bench.spec });
    await eventually(async () => (await bench.provider.describe(name)).state === 'provisioning', 'half a machine');
    const { generation } = await bench.provider.describe(name);
    handover.abort();
    expect(await rejection(preparing.result)).toMatchObject({ type: HANDOVER });
    goOn();
    await attempt(bench.worker().activities.prepareAgent, { spec: bench.spec }, { attempt: 2 }).result;
    expect((await bench.provider.list()).machines).toMatchObject([{ name, generation }]);
  });

  it('requests the machine with the same id in every attempt, and names its owner', async () => {
    await using bench = await activityBench();
    await bench.provider.destroy(bench.spec.machine.name);
    const asked: string[] = [];
    const { create } = bench.provider;
    bench.provider.create = (machine, options) => {
      asked.push(options.requestId);
      return create(machine, options);
    };
    const { activities } = bench.worker();
    await attempt(activities.prepareAgent, { spec: bench.spec }).result;
    await attempt(activities.prepareAgent, { spec: bench.spec }, { attempt: 2 }).result;
    expect(new Set(asked).size).toBe(1);
    expect(asked[0]).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-8[0-9a-f]{3}-[0-9a-f]{12}$/);
    const {
      machines: [machine],
    } = await bench.provider.list({ agent: bench.agent, spawn: bench.spec.spawn_id });
    expect(machine?.labels).toMatchObject({ stack: bench.ports.key.id, namespace: 'namespace-1' });
  });

  it('sends a machine elsewhere the way to git of this side, and clone URLs without passwords', async () => {
    await using bench = await activityBench();
    const clone_url = 'https://jane:secret-of-jane@forge.example/project.git';
    const spec = agentSpec({ repos: [{ clone_url, branch: 'work' }], allow_repos: ['forge.example/other'] });
    await sealSpec(bench.ports, spec);
    const access = { server: { host: '127.0.0.1', port: 9 }, pass: 'pass', config: [] };
    const wanted: unknown[] = [];
    const connect = bench.provider.connect.bind(bench.provider);
    Object.assign(bench.provider, {
      connect: async (...asked: Parameters<typeof connect>): Promise<Machine> => ({
        ...(await connect(...asked)),
        serveGit: async (each) => {
          wanted.push(each);
          return access;
        },
      }),
    });
    await attempt(bench.worker().activities.prepareAgent, { spec }).result;
    expect(wanted).toEqual([{ repos: spec.repos, grants: spec.allow_repos }]);
    expect(bench.runner.opens).toMatchObject([
      { git: access, repos: [{ clone_url: 'https://forge.example/project.git', branch: 'work' }] },
    ]);
  });

  it('is handed over when its worker shuts down', async () => {
    await using bench = await activityBench();
    const slow = slowOpen(bench);
    const { activities, handover } = bench.worker();
    const preparing = attempt(activities.prepareAgent, { spec: bench.spec });
    await eventually(() => slow.asked() === 1, 'the clone');
    handover.abort();
    expect(await rejection(preparing.result)).toMatchObject({ type: HANDOVER });
    slow.open();
    await attempt(bench.worker().activities.prepareAgent, { spec: bench.spec }, { attempt: 2 }).result;
  });

  it('heartbeats while it clones', async () => {
    await using bench = await activityBench();
    const slow = slowOpen(bench);
    const preparing = attempt(bench.worker().activities.prepareAgent, { spec: bench.spec });
    await eventually(() => preparing.heartbeats.length >= 2, 'two heartbeats');
    slow.open();
    await preparing.result;
  });
});
