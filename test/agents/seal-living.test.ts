// The first start with a key, over a client that knows some workflows by heart.
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

/** As gRPC gives it. */
function grpcError(code: number): Error {
  return Object.assign(new Error(`status ${String(code)}`), { code, details: '', metadata: {} });
}

/** A payload that says it is JSON, with other bytes. */
function unreadable(data: Uint8Array) {
  return { metadata: { encoding: Buffer.from('json/plain') }, data };
}

async function installation() {
  const folder = await temporaryFolder();
  /** Workflow id → what it was started with. */
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
    /** As an earlier build started it: token and workflow, no seal. */
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
  it('seals the agents that live, as each run was given its spec, and no later start does', async () => {
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
    // Another key is another first start.
    const key = signingKey(Buffer.alloc(32, 5));
    await sealLivingAgents({ ...test.start, key });
    expect(await test.sealed(one, key)).toEqual(one);
  });

  it('seals none that this installation has not given a token, and none whose spec is not its own', async () => {
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

  it('is done at once where no agent lives, and asks Temporal nothing', async () => {
    await using test = await installation();
    test.breakOff(true);
    await mintToken(test.start.tokenStore, { id: 'token-1', account: 'tess', created_at: '2026-11-21' });
    await sealLivingAgents(test.start);
    expect(test.calls).toEqual([]);
    expect(await readdir(test.start.folder)).toEqual([`agents-sealed-${TEST_KEY.id}`]);
  });

  it('is done again after Temporal did not answer; a token without a workflow is no agent', async () => {
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
    ['whose input is no spec', Buffer.from('7')],
    ['whose history has gone since', grpcError(5)],
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

  it('is done again after the connection failed at a history', async () => {
    await using test = await installation();
    const spec = withCredentials(agentSpec());
    await test.agent(spec, grpcError(4));
    await expect(sealLivingAgents(test.start)).rejects.toThrow('status 4');
    test.workflows.set(workflowIdOf(spec.identity), spec);
    await sealLivingAgents(test.start);
    expect(await test.sealed(spec)).toEqual(spec);
  });
});
