// Builds the spec of a spawned agent.
import type { spawn } from '../contract/operations/spawn.ts';
import type { ParsedInputOf } from '../contract/operation.ts';
import type { AgentSpec } from '../contract/wire/agent.ts';
import type { AgentAddress } from '../agents/names.ts';
import { reposOf } from '../agents/repos.ts';
import { buildSpec } from '../agents/spec.ts';
import { storePlan } from './flights/spawn.ts';
import type { FlightRequest } from './flights/spawn.ts';
import type { Call } from './handler.ts';
import type { ServerParts } from './parts.ts';

type SpawnInput = ParsedInputOf<typeof spawn>;

/** The spec. Stores its texts and a flight's plan. Throws as `reposOf` does, before it stores anything. */
export async function specOfSpawn(
  parts: ServerParts,
  agent: AgentAddress,
  input: SpawnInput,
  call: Call,
  flight?: FlightRequest,
): Promise<AgentSpec> {
  const { named, allowed } = await reposOf(parts, agent, input, call.caller);
  return await buildSpec(parts.objects, {
    identity: agent.identity,
    spawn_id: call.id,
    provider: parts.settings.provider,
    repos: input.repos.map(({ clone_url, base_branch, branch = input.branch }, at) => ({
      ...{ clone_url, branch },
      ...(base_branch === undefined ? {} : { base_branch }),
      ...named[at],
    })),
    allow_repos: allowed,
    description: input.description,
    purpose: input.purpose,
    model: input.model,
    append_system_prompt: input.append_system_prompt,
    out: input.out,
    completion_check: input.completion_check,
    max_cost_usd: input.max_cost_usd,
    on_idle: input.on_idle,
    dequeue_strategy: input.dequeue_strategy,
    tasks: input.tasks,
    secret_names: Object.keys(input.secrets),
    created_by: call.from,
    flight: flight === undefined ? undefined : await storePlan(parts, agent.id, call.id, flight),
  });
}
