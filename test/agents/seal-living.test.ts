// The first start with a key, with a stub client that has some workflows.
import { readdir } from 'node:fs/promises';
import { describe, expect, it } from '@jest/globals';
import { ServiceError, WorkflowNotFoundError } from '@temporalio/client';
import type { Client } from '@temporalio/client';
import { defaultPayloadConverter } from '@temporalio/common';
import type { AgentSpec } from '../../contract/wire/agent.ts';
import { workflowIdOf } from '../../contract/wire/identity.ts';
import { sealLivingAgents } from '../../agents/seal-living.ts';
import { readSealedSpec } from '../../agents/sealed.ts';
import { signingKey } from '../../drivers/keys/signing-key.ts';
import { createMemoryObjectStore } from '../../drivers/objects/memory.ts';
import { createMemoryTokenStore } from '../../drivers/tokens/memory.ts';
import { mintToken } from '../../drivers/tokens/token.ts';
import { agentSpec, withCredentials } from '../fixtures/agent-spec.ts';
import { TEST_KEY } from '../fixtures/signing-key.ts';
import { temporaryFolder } from '../drivers/temporary-folder.ts';

/** An error as gRPC throws it. */
function grpcError(code: number): Error {
  return Object.assign(new Error(`status ${String(code)}`), { code, details: '', metadata: {} });
}

/** A payload that is marked as JSON but has other bytes. */
function unreadable(data: Uint8Array) {
  return { metadata: { encoding: Buffer.from('json/plain') }, data };
}

async function installation() {
  const folder = await temporaryFolder();
  /** Workflow id → input. */
  const workflows = new Map<string, unknown>();
  const calls: string[] = [];
  let down = false;
  const client = {
    options: { namespace: 'default' },
    withDeadline: async (_deadline: number, act: () => Promise<unknown>) => await act(),
    workflow: {
      getHandle: (id: string) => ({
        describe: async () => {
          calls.push(id);
          if (down) throw new ServiceError('Failed to describe workflow', { cause: grpcError(14) });
          if (!workflows.has(id)) throw new WorkflowNotFoundError('not found', id, undefined);
          return await Promise.resolve({ runId: 'run-2' });
        },
      }),
    },
    workflowService: {
      getWorkflowExecutionHistory: async ({ execution }: { readonly execution: { readonly workflowId: string } }) => {
        const input = workflows.get(execution.workflowId);
        if (input instanceof Error) throw input;
        const payloads = [input instanceof Uint8Array ? unreadable(input) : defaultPayloadConverter.toPayload(input)];
        const event = { workflowExecutionStartedEventAttributes: { input: { payloads } } };
        return await Promise.resolve({ history: { events: [event] } });
      },
    },
  };
  const reports: unknown[] = [];
  const start = {
    objects: createMemoryObjectStore(),
    tokenStore: createMemoryTokenStore(),
    key: TEST_KEY,
    folder: folder.path,
    client: client as unknown as Client,
    report: (_fact: string, details: unknown) => void reports.push(details),
  };
  return {
    start,
    reports,
    calls,
    /** Starts an agent like an earlier build: with token and workflow, without a seal. */
    async agent(spec: AgentSpec, history: unknown = spec): Promise<void> {
      const agent = workflowIdOf(spec.identity);
      workflows.set(agent, history);
      await mintToken(start.tokenStore, {
        id: spec.token_id ?? '',
        account: 'tess',
        agent,
        created_at: spec.created_at,
      });
    },
    workflows,
    breakOff: (value: boolean) => void (down = value),
    sealed: async (spec: AgentSpec, key = TEST_KEY) =>
      await readSealedSpec({ ...start, key }, workflowIdOf(spec.identity), spec.spawn_id),
    [Symbol.asyncDispose]: () => folder[Symbol.asyncDispose](),
  };
}

describe('the first start with a key', () => {
  it('seals the living agents with the spec of their latest run, and later starts do not', async () => {
    await using test = await installation();
    const [one, two, late] = [1, 2, 3].map(() => withCredentials(agentSpec())) as [AgentSpec, AgentSpec, AgentSpec];
    await test.agent(one);
    await test.agent(two, { ...two, allowance_usd: 2 });
    await sealLivingAgents(test.start);
    expect(await test.sealed(one)).toEqual(one);
    expect(await test.sealed(two)).toEqual({ ...two, allowance_usd: 2 });
    expect(test.reports).toEqual([{ sealed: 2, of: 2 }]);
    await test.agent(late);
    await sealLivingAgents(test.start);
    expect(await test.sealed(late)).toBeUndefined();
    // With another key it is a first start again.
    const key = signingKey(Buffer.alloc(32, 5));
    await sealLivingAgents({ ...test.start, key });
    expect(await test.sealed(one, key)).toEqual(one);
  });

  it('does not seal agents without a token of this installation or with the spec of another agent', async () => {
    await using test = await installation();
    const planted = withCredentials(agentSpec());
    test.workflows.set(workflowIdOf(planted.identity), planted);
    const [other, thief, copy] = [1, 2, 3].map(() => withCredentials(agentSpec())) as [AgentSpec, AgentSpec, AgentSpec];
    await test.agent(other, { ...other, spawn_id: 'another-spawn', machine: planted.machine });
    await test.agent(thief, { ...thief, secrets: { ref: 'server-signing-key', names: ['KEY'] } });
    await test.agent(copy, planted);
    await sealLivingAgents(test.start);
    expect(await test.start.objects.list('sealed/')).toEqual([]);
    expect(test.reports).toHaveLength(4);
  });

  it('does not call Temporal if there are no agents', async () => {
    await using test = await installation();
    test.breakOff(true);
    await mintToken(test.start.tokenStore, { id: 'token-1', account: 'tess', created_at: '2026-11-21' });
    await sealLivingAgents(test.start);
    expect(test.calls).toEqual([]);
    expect(await readdir(test.start.folder)).toEqual([`agents-sealed-${TEST_KEY.id}`]);
  });

  it('is repeated after Temporal did not answer; a token without a workflow is skipped', async () => {
    await using test = await installation();
    const spec = withCredentials(agentSpec());
    await test.agent(spec);
    const gone = withCredentials(agentSpec());
    await test.agent(gone);
    test.workflows.delete(workflowIdOf(gone.identity));
    test.breakOff(true);
    await expect(sealLivingAgents(test.start)).rejects.toThrow(ServiceError);
    test.breakOff(false);
    await sealLivingAgents(test.start);
    expect(await test.sealed(spec)).toEqual(spec);
  });

  it.each([
    ['whose input is not JSON', Buffer.from('{')],
    ['whose input is not a spec', Buffer.from('7')],
    ['whose history was deleted meanwhile', grpcError(5)],
    ['that Temporal cannot read', grpcError(13)],
  ])('reports an agent %s, and seals the others', async (_what, history) => {
    await using test = await installation();
    const [bad, good] = [1, 2].map(() => withCredentials(agentSpec())) as [AgentSpec, AgentSpec];
    await test.agent(bad, history);
    await test.agent(good);
    await sealLivingAgents(test.start);
    expect(await test.sealed(good)).toEqual(good);
    expect(test.reports).toEqual([
      { agent: workflowIdOf(bad.identity), error: expect.any(String) },
      { sealed: 1, of: 2 },
    ]);
  });

  it('is repeated after the connection failed while a history was read', async () => {
    await using test = await installation();
    const spec = withCredentials(agentSpec());
    await test.agent(spec, grpcError(4));
    await expect(sealLivingAgents(test.start)).rejects.toThrow('status 4');
    test.workflows.set(workflowIdOf(spec.identity), spec);
    await sealLivingAgents(test.start);
    expect(await test.sealed(spec)).toEqual(spec);
  });
});
