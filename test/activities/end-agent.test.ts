import { describe, expect, it } from '@jest/globals';
import type { EndAgentInput } from '../../contract/wire/activities.ts';
import type { AgentRecord } from '../../contract/wire/agent.ts';
import { MurmurError } from '../../contract/wire/errors.ts';
import { recordKey } from '../../contract/wire/object-keys.ts';
import { findToken, mintToken } from '../../drivers/tokens/token.ts';
import { enterPhase } from '../../workflows/agent/transitions.ts';
import { recordOf } from '../../workflows/agent/status.ts';
import { NOW, testAgent } from '../fixtures/agent-state.ts';
import { activityBench, attempt, rejection } from '../fixtures/activity-bench.ts';
import type { ActivityBench } from '../fixtures/activity-bench.ts';
import { eventually } from '../fixtures/waiting.ts';

function endInput(bench: ActivityBench): EndAgentInput {
  const { state } = testAgent();
  state.vm = { name: bench.spec.machine.name, provider: 'fake', isolation: 'none', state: 'running' };
  enterPhase(state, 'canceled', NOW, 'killed by tess');
  const record = recordOf(state, bench.spec);
  return { spec: bench.spec, record };
}

function secretsOf({ spec }: ActivityBench): string {
  return spec.secrets?.ref ?? '';
}

async function recordIn(bench: ActivityBench): Promise<AgentRecord | undefined> {
  const content = await bench.ports.objects.get(recordKey(bench.agent));
  return content === undefined ? undefined : (JSON.parse(content.toString()) as AgentRecord);
}

describe('endAgent', () => {
  it('stores the final snapshot and the last events, and deletes machine and secrets', async () => {
    await using bench = await activityBench();
    await bench.ports.secrets.put(secretsOf(bench), { A: '1' });
    const result = await attempt(bench.worker().activities.endAgent, endInput(bench)).result;
    expect(result).toEqual({ machine_state: 'destroyed', snapshot: expect.stringMatching(/manifest\.json$/) });
    expect((await bench.provider.list()).machines).toEqual([]);
    expect(await bench.ports.secrets.get(secretsOf(bench))).toEqual({});
    expect(await bench.logged()).toEqual(['session_end']);
    expect(bench.runner.stops).toEqual([{ status: 'interrupted', last: { after: 0, snapshot_ms: 20_000 } }]);
    expect(await recordIn(bench)).toMatchObject({
      snapshot: result.snapshot,
      status: { phase: 'canceled', reason: 'killed by tess', vm: { state: 'gone' } },
      // The whole spec.
      spec: bench.spec,
    });
  });

  it('keeps the session that the agent program has named, whatever the spec wished for', async () => {
    await using bench = await activityBench();
    const { record } = endInput(bench);
    const told = { ...record, spec: { ...record.spec, session_id: 'named-by-the-program' } };
    await attempt(bench.worker().activities.endAgent, { spec: bench.spec, record: told }).result;
    expect((await recordIn(bench))?.spec).toEqual({ ...bench.spec, session_id: 'named-by-the-program' });
  });

  it('appends the events of the end when the machine is gone and the record written', async () => {
    await using bench = await activityBench();
    const event = { type: 'phase', phase: 'canceled' } as const;
    const found: unknown[] = [];
    const append = bench.ports.events.append.bind(bench.ports.events);
    Object.assign(bench.ports.events, {
      append: async (...args: Parameters<typeof append>) => {
        if (args[1] === 'workflow') {
          found.push((await bench.provider.list()).machines, (await recordIn(bench))?.status.phase);
        }
        return await append(...args);
      },
    });
    const input = { ...endInput(bench), events: [{ seq: 1, at: NOW, event }] };
    await attempt(bench.worker().activities.endAgent, input).result;
    expect(found).toEqual([[], 'canceled']);
    expect(await bench.logged()).toEqual(['session_end', 'phase']);
  });

  it("deletes the agent's token first, before anything can fail", async () => {
    await using bench = await activityBench();
    const token = await mintToken(bench.ports.tokenStore, {
      id: bench.spec.token_id ?? '',
      account: 'tess',
      created_at: NOW,
    });
    const failing = { ...bench.provider, describe: () => Promise.reject(new Error('the disk is full')) };
    Object.assign(bench.ports.machines, { fake: { ...failing, destroy: () => Promise.reject(new Error('no')) } });
    await attempt(bench.worker().activities.endAgent, endInput(bench)).result.catch(() => undefined);
    expect(await findToken(bench.ports.tokenStore, token)).toBeUndefined();
  });

  it('ends the running turn first', async () => {
    await using bench = await activityBench();
    const { activities } = bench.worker();
    const turn = attempt(activities.runTurn, bench.turn());
    await eventually(() => bench.runner.prompts.length === 1, 'the prompt');
    await attempt(activities.endAgent, endInput(bench)).result;
    expect(await bench.logged()).toEqual(['turn_start', 'turn_complete', 'session_end']);
    await turn.result.catch(() => undefined);
  });

  it('is idempotent, and writes a newer record', async () => {
    await using bench = await activityBench();
    const { activities } = bench.worker();
    const first = await attempt(activities.endAgent, endInput(bench)).result;
    const input = endInput(bench);
    const record = { ...input.record, status: { ...input.record.status, undelivered: ['late'] } };
    expect(await attempt(activities.endAgent, { ...input, record }).result).toEqual(first);
    expect((await recordIn(bench))?.status.undelivered).toEqual(['late']);
  });

  it('returns the stored snapshot, and requests no other if nothing has changed', async () => {
    await using bench = await activityBench();
    const { activities } = bench.worker();
    const turn = attempt(activities.runTurn, bench.turn());
    await eventually(() => bench.runner.prompts.length === 1, 'the prompt');
    bench.runner.endTurn();
    const { snapshot } = (await turn.result) as { readonly snapshot?: string };
    bench.runner.isUnchanged = true;
    const result = await attempt(activities.endAgent, endInput(bench)).result;
    expect(result.snapshot).toBe(snapshot);
    expect(bench.runner.stops[0]?.last).toMatchObject({ stored_seq: 2, after: 2 });
  });

  it('stores the report of a runner that an earlier attempt stopped', async () => {
    await using bench = await activityBench();
    await bench.runner.client.stop({ status: 'interrupted', last: { after: 0, snapshot_ms: 1 } });
    Object.assign(bench.ports.runners, { find: async () => undefined });
    const result = await attempt(bench.worker().activities.endAgent, endInput(bench), { attempt: 2 }).result;
    expect(result.snapshot).toMatch(/manifest\.json$/);
    expect(await bench.logged()).toEqual(['session_end']);
  });

  it('ends an agent whose machine was never created', async () => {
    await using bench = await activityBench();
    await bench.provider.destroy(bench.spec.machine.name);
    expect(await attempt(bench.worker().activities.endAgent, endInput(bench)).result).toEqual({
      machine_state: 'destroyed',
    });
    expect(await recordIn(bench)).not.toHaveProperty('snapshot');
  });

  it('destroys a machine whose runner does not answer, and reports the failure to save', async () => {
    await using bench = await activityBench();
    bench.runner.broken = new MurmurError('UNAVAILABLE', 'frozen');
    await attempt(bench.worker().activities.endAgent, endInput(bench)).result;
    expect((await bench.provider.list()).machines).toEqual([]);
    expect(bench.reports).toContain('agent was not ended in good order');
  });

  it('destroys the machine even if the final snapshot fails', async () => {
    await using bench = await activityBench();
    bench.runner.snapshotError = new MurmurError('UNAVAILABLE', 'no space');
    await attempt(bench.worker().activities.endAgent, endInput(bench)).result;
    expect((await bench.provider.list()).machines).toEqual([]);
    expect(bench.runner.stops).toHaveLength(1);
  });

  it('fails if the machine cannot be destroyed, and leaves secrets and record to the next attempt', async () => {
    await using bench = await activityBench();
    await bench.ports.secrets.put(secretsOf(bench), { A: '1' });
    const destroy = bench.provider.destroy;
    Object.assign(bench.provider, { destroy: () => Promise.reject(new MurmurError('UNAVAILABLE', 'busy')) });
    const { activities } = bench.worker();
    expect(await rejection(attempt(activities.endAgent, endInput(bench)).result)).toMatchObject({
      type: 'UNAVAILABLE',
    });
    expect(await bench.ports.secrets.get(secretsOf(bench))).toEqual({ A: '1' });
    Object.assign(bench.provider, { destroy });
    await attempt(activities.endAgent, endInput(bench), { attempt: 2 }).result;
    expect(await bench.ports.secrets.get(secretsOf(bench))).toEqual({});
  });
});
