// Everything that is decided at spawn.
import { randomUUID } from 'node:crypto';
import type { spawn } from '../contract/operations/spawn.ts';
import type { ParsedInputOf } from '../contract/operation.ts';
import type { AgentSpec, RepoSpec } from '../contract/wire/agent.ts';
import { defaultBranch } from '../contract/wire/identity.ts';
import { backendOf } from '../contract/wire/models.ts';
import { machineName, secretsRef, tokenId } from '../agents/names.ts';
import { storeText } from '../agents/texts.ts';
import type { Call } from './handlers/handler.ts';
import type { ServerParts } from './parts.ts';
import type { AgentAddress } from '../agents/names.ts';
import { reposOf } from '../agents/repos.ts';

type SpawnInput = ParsedInputOf<typeof spawn>;

/**
 * The spec of a new agent; long texts are stored, secrets and its token are named only. Throws as `reposOf` does, before
 * anything is stored.
 */
export async function buildSpec(
  parts: ServerParts,
  agent: AgentAddress,
  input: SpawnInput,
  call: Call,
): Promise<AgentSpec> {
  const { named, allowed } = await reposOf(parts, agent, input, call.caller);
  const names = Object.keys(input.secrets);
  const { append_system_prompt: appended, purpose, model, out } = input;
  return {
    identity: agent.identity,
    spawn_id: call.id,
    machine: { provider: parts.settings.provider, name: machineName(agent.id, call.id) },
    repos: input.repos.map((repo, at) => ({
      ...repoSpec(repo, input.branch ?? defaultBranch(agent.identity)),
      ...named[at],
    })),
    ...(allowed.length === 0 ? {} : { allow_repos: allowed }),
    prompt: await storeText(parts.objects, agent.id, { kind: 'prompt', id: call.id }, input.description),
    ...(purpose === undefined ? {} : { purpose }),
    backend: backendOf(model),
    ...(model === undefined ? {} : { model }),
    ...(appended === undefined || appended === ''
      ? {}
      : { append_system_prompt: await storeText(parts.objects, agent.id, { kind: 'system', id: call.id }, appended) }),
    ...(out === undefined || out === '' ? {} : { out }),
    ...(input.completion_check === 'none' ? {} : { completion_check: input.completion_check }),
    ...(input.max_cost_usd === undefined ? {} : { max_cost_usd: input.max_cost_usd }),
    on_idle: input.on_idle,
    dequeue_strategy: input.dequeue_strategy,
    tasks: input.tasks,
    secrets: { ref: secretsRef(agent.id, call.id), names },
    token_id: tokenId(agent.id, call.id),
    session_id: randomUUID(),
    created_at: new Date().toISOString(),
    created_by: call.from,
  };
}

function repoSpec(repo: SpawnInput['repos'][number], branch: string): RepoSpec {
  return {
    clone_url: repo.clone_url,
    ...(repo.base_branch === undefined ? {} : { base_branch: repo.base_branch }),
    branch: repo.branch ?? branch,
  };
}
