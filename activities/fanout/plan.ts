// A fan-out's plan, and the spec of each of its agents.
import { randomUUID } from 'node:crypto';
import { ApplicationFailure } from '@temporalio/common';
import type { AgentSpec } from '../../contract/wire/agent.ts';
import { fanoutWorkflowId, plannedIdentity, plannedSpawnId } from '../../contract/wire/fanout/plan.ts';
import type { FanoutPlan } from '../../contract/wire/fanout/plan.ts';
import { expandDescription } from '../../contract/wire/fanout/template.ts';
import { defaultBranch, workflowIdOf } from '../../contract/wire/identity.ts';
import { machineName, secretsRef, tokenId } from '../../drivers/agents/names.ts';
import { storeText } from '../../drivers/agents/texts.ts';
import type { ObjectStore } from '../../drivers/objects/object-store.ts';

/** Reads plans; the newest few are kept, as a plan of 10,000 items is read for every fifty of them. */
export type PlanReader = (key: string) => Promise<FanoutPlan>;

const KEPT = 4;

/** Fails with NOT_FOUND, for good, for a plan that is gone. */
export function createPlanReader(objects: ObjectStore): PlanReader {
  const kept = new Map<string, FanoutPlan>();
  return async (key) => {
    const known = kept.get(key);
    if (known !== undefined) return known;
    const content = await objects.get(key);
    if (content === undefined) throw ApplicationFailure.nonRetryable(`the plan ${key} is gone`, 'NOT_FOUND');
    const plan = JSON.parse(content.toString('utf8')) as FanoutPlan;
    kept.set(key, plan);
    if (kept.size > KEPT) kept.delete(kept.keys().next().value ?? '');
    return plan;
  };
}

/** One agent as its caller would have spawned it; a long prompt is stored. Undefined for a place past the list's end. */
export async function plannedSpec(
  objects: ObjectStore,
  plan: FanoutPlan,
  index: number,
): Promise<AgentSpec | undefined> {
  const entry = plan.agents[index];
  if (entry === undefined) return undefined;
  const { provider, secret_names: names, branches, ...shared } = plan.shared;
  const identity = plannedIdentity(plan, entry.slug);
  const id = workflowIdOf(identity);
  const spawnId = plannedSpawnId(plan.id, index);
  return {
    ...shared,
    identity,
    spawn_id: spawnId,
    machine: { provider, name: machineName(id, spawnId) },
    repos: shared.repos.map((repo, place) => ({ ...repo, branch: branches[place] ?? defaultBranch(identity) })),
    prompt: await storeText(objects, id, `${spawnId}-prompt`, expandDescription(plan.description, entry.item)),
    secrets: { ref: secretsRef(id, spawnId), names },
    token_id: tokenId(id, spawnId),
    session_id: randomUUID(),
    created_at: new Date().toISOString(),
    slot: { fanout: fanoutWorkflowId(plan.place, plan.id), index },
  };
}
