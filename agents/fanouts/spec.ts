// Splits the first agent's spec of a fan-out into the common part, and builds each agent's spec from it.
import type { AgentSpec } from '../../contract/wire/agent.ts';
import { fanoutWorkflowId, plannedIdentity, plannedSpawnId } from '../../contract/wire/fanout/plan.ts';
import type { FanoutPlan, SharedSpec } from '../../contract/wire/fanout/plan.ts';
import { expandDescription } from '../../contract/wire/fanout/template.ts';
import type { ObjectStore } from '../../drivers/objects/object-store.ts';
import { buildSpec } from '../spec.ts';

/**
 * The common part of the agents' specs, from the spec of the first.
 * @param branches for each repository, the branch that the caller named
 */
export function sharedSpec(spec: AgentSpec, branches: SharedSpec['branches']): SharedSpec {
  const {
    identity: _identity,
    spawn_id: _spawn,
    prompt: _prompt,
    session_id: _session,
    created_at: _created,
    secrets,
    token_id: _token,
    slot: _slot,
    events_after: _life,
    machine,
    ...shared
  } = spec;
  return { ...shared, provider: machine.provider, secret_names: secrets?.names ?? [], branches };
}

/** The spec of one agent, like that of a spawn; stores a long prompt. Undefined for an index past the list's end. */
export async function plannedSpec(
  objects: ObjectStore,
  plan: FanoutPlan,
  index: number,
): Promise<AgentSpec | undefined> {
  const entry = plan.agents[index];
  if (entry === undefined) return undefined;
  const { branches, ...shared } = plan.shared;
  return await buildSpec(objects, {
    ...shared,
    identity: plannedIdentity(plan, entry.slug),
    spawn_id: plannedSpawnId(plan.id, index),
    repos: shared.repos.map((repo, place) => ({ ...repo, branch: branches[place] })),
    description: expandDescription(plan.description, entry.item),
    slot: { fanout: fanoutWorkflowId(plan.place, plan.id), index },
  });
}
