// An agent of ours with the fake backend. No operation offers that backend, since no user should meet it, so the
// workflow is started as the server would, through Temporal. Imports the contract, config/home and the laboratory.
import { randomUUID } from 'node:crypto';
import type { AgentMemo } from '../../contract/wire/messages.ts';
import type { AgentSpec } from '../../contract/wire/agent.ts';
import { absolutePathOf, workflowIdOf } from '../../contract/wire/identity.ts';
import { AGENT_WORKFLOW, SEARCH_ATTRIBUTES, taskQueueOf } from '../../contract/wire/messages.ts';
import { homePaths, readHostId } from '../../config/home.ts';
import { WORKSPACE, type SpawnedAgent } from './agent.ts';
import type { Laboratory } from './laboratory.ts';
import type { Prompt } from './model.ts';

/** Resolves when Temporal has the workflow. */
export async function spawnFakeAgent(laboratory: Laboratory, account: string, prompt: Prompt): Promise<SpawnedAgent> {
  const spec = specOf(laboratory.name('fake'), account, prompt);
  const hostId = readHostId(homePaths(laboratory.stack().home));
  if (hostId === undefined) throw new Error('the stack has no host id');
  const workflowId = workflowIdOf(spec.identity);
  const memo: AgentMemo = {
    spawn_id: spec.spawn_id,
    purpose: '',
    machine: spec.machine.name,
    created_at: spec.created_at,
  };
  await laboratory.temporal.client.workflow.start(AGENT_WORKFLOW, {
    taskQueue: taskQueueOf(hostId),
    workflowId,
    args: [spec],
    memo: { ...memo },
    searchAttributes: {
      [SEARCH_ATTRIBUTES.workspace]: [WORKSPACE],
      [SEARCH_ATTRIBUTES.owner]: [account],
      [SEARCH_ATTRIBUTES.phase]: ['starting'],
      [SEARCH_ATTRIBUTES.root]: [workflowId],
    },
  });
  return { slug: absolutePathOf(spec.identity), workflowId };
}

function specOf(slug: string, account: string, prompt: Prompt): AgentSpec {
  return {
    identity: { workspace: WORKSPACE, account, path: [slug] },
    spawn_id: randomUUID(),
    machine: { provider: 'local', name: `murmur-${randomUUID().slice(0, 8)}` },
    repos: [],
    prompt: { text: prompt.text },
    backend: 'fake',
    on_idle: 'keep_alive',
    dequeue_strategy: 'all',
    tasks: [],
    session_id: randomUUID(),
    created_at: new Date().toISOString(),
    created_by: account,
  };
}
