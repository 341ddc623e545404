import { randomUUID } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import { startRootAgent } from '../../../agents/start.ts';
import type { AgentSpec, AgentStatus } from '../../../contract/wire/agent.ts';
import { workflowIdOf } from '../../../contract/wire/identity.ts';
import { agentSpec, ofEarlierBuild } from '../../fixtures/agent-spec.ts';
import { startAgent } from '../../fixtures/running-agent.ts';
import type { RunningAgent } from '../../fixtures/running-agent.ts';
import { stubActivities } from '../../fixtures/stub-activities.ts';
import { startWorker } from '../../fixtures/temporal.ts';
import { sharedTemporalForFile } from '../../fixtures/temporal-for-file.ts';
import { answered, eventually } from '../../fixtures/waiting.ts';

const temporal = sharedTemporalForFile();

const ASSESSED: Partial<AgentSpec> = { completion_check: 'assessor', limits: { continue_after_turns: 1 } };

/** Has every activity run that is told which agent it is for, in two runs of the workflow. */
async function live(agent: RunningAgent): Promise<unknown[]> {
  await agent.untilIdle();
  await agent.queueAdd('wait');
  await agent.until((now) => now.turn?.number === 2 && now.turn.running);
  await agent.handle.signal('interrupt', { id: 'i1', from: 'tess' });
  await agent.untilIdle();
  await agent.handle.signal('kill', { id: 'k1', from: 'tess' });
  await agent.result();
  const { prepared, turns, assessments, interrupts, ends } = agent.stub;
  const calls = [prepared, turns, assessments, interrupts, ends];
  for (const each of calls) expect(each.length).toBeGreaterThan(0);
  return calls.flat();
}

const SCRIPT = { turn: ({ number }: { readonly number: number }) => (number === 2 ? ('wait' as const) : {}) };

describe('the workflow of an agent', () => {
  it('gives activities a reference to the stored spec, also after it has continued as new', async () => {
    await using agent = await startAgent(temporal, SCRIPT, ASSESSED);
    const { identity, spawn_id, machine, seal } = agent.spec;
    const session = { agent: workflowIdOf(identity), spawn_id, provider: machine.provider, seal };
    for (const input of await live(agent)) {
      expect(input).toMatchObject({ session });
      expect(input).not.toHaveProperty('spec');
    }
  }, 60_000);

  it('gives them the whole spec when an earlier build has started it', async () => {
    await using agent = await startAgent(temporal, SCRIPT, ASSESSED, {}, ofEarlierBuild);
    for (const input of await live(agent)) {
      expect(input).toMatchObject({ spec: { ...agent.spec, prompt: { text: '' } } });
      expect(input).not.toHaveProperty('session');
    }
  }, 60_000);

  it('has no worker act on a reference that it cannot read: the activity is retried until another worker takes it', async () => {
    const spec = agentSpec();
    const taskQueue = randomUUID();
    const handle = temporal.client.workflow.getHandle(workflowIdOf(spec.identity));
    const earlier = stubActivities({});
    // Like workers of builds before references, it has only the default converter.
    let worker = await startWorker(temporal, taskQueue, earlier.activities, { dataConverter: {} });
    try {
      await startRootAgent(temporal.client, taskQueue, spec);
      const lastFailure = async () => (await handle.describe()).raw.pendingActivities?.[0]?.lastFailure;
      await eventually(async () => Boolean(await lastFailure()), 'a failed attempt');
      expect(await lastFailure()).toMatchObject({
        message: 'Failed to parse activity args for activity prepareAgent: Unknown encoding: json/murmur-ref',
        applicationFailureInfo: { nonRetryable: false },
      });
    } finally {
      await worker.stop();
    }
    const current = stubActivities({});
    worker = await startWorker(temporal, taskQueue, current.activities);
    try {
      const phase = async () => (await answered(() => handle.query<AgentStatus>('status'))).phase;
      await eventually(async () => (await phase()) === 'idle', 'the end of the turn');
    } finally {
      await handle.terminate();
      await worker.stop();
    }
    expect([...earlier.prepared, ...earlier.turns]).toEqual([]);
    expect(current.turns).toMatchObject([{ session: { agent: handle.workflowId } }]);
  }, 60_000);

  it('leaves a reference to the one who ends its machine', async () => {
    await using agent = await startAgent(temporal);
    await agent.untilIdle();
    await agent.handle.signal('kill', { id: 'k1', from: 'tess', with_parent: true, leave_machine: true });
    const { left } = await agent.result();
    expect(left).toMatchObject({ session: { agent: agent.handle.workflowId, seal: agent.spec.seal } });
    expect(left).not.toHaveProperty('spec');
  }, 60_000);
});
