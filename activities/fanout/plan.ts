// A fan-out's plan, and the spec of each of its agents.
import { randomUUID } from 'node:crypto';
import { ApplicationFailure } from '@temporalio/common';
import type { AgentSpec } from '../../contract/wire/agent.ts';
import { MurmurError } from '../../contract/wire/errors.ts';
import {
  fanoutWorkflowId,
  planKey,
  planKeyOf,
  plannedIdentity,
  plannedSpawnId,
} from '../../contract/wire/fanout/plan.ts';
import type { FanoutPlan } from '../../contract/wire/fanout/plan.ts';
import { expandDescription } from '../../contract/wire/fanout/template.ts';
import { defaultBranch, workflowIdOf } from '../../contract/wire/identity.ts';
import { machineName, secretsRef, tokenId } from '../../agents/names.ts';
import { storeText } from '../../agents/texts.ts';
import type { ObjectStore } from '../../drivers/objects/object-store.ts';
import { callingWorkflow } from '../admission.ts';

/**
 * Reads the plan of the fan-out that has asked for the activity; the newest few are kept, as a plan of 10,000 items is read
 * for every fifty of them.
 */
export interface PlanReader {
  (key: string): Promise<FanoutPlan>;
  /** The fan-out has ended: its plan starts no more agents. */
  forget(key: string): void;
}

const KEPT = 4;

/** Fails with NOT_FOUND, for good, for a plan that is gone, and with PERMISSION_DENIED as `requireOwnPlan` does. */
export function createPlanReader(objects: ObjectStore): PlanReader {
  const kept = new Map<string, FanoutPlan>();
  const read = async (key: string): Promise<FanoutPlan> => {
    requireOwnPlan(key);
    const known = kept.get(key);
    if (known !== undefined) return known;
    const content = await objects.get(key);
    if (content === undefined) throw ApplicationFailure.nonRetryable(`the plan ${key} is gone`, 'NOT_FOUND');
    const plan = JSON.parse(content.toString('utf8')) as FanoutPlan;
    const isItself = planKey(plan.place, plan.id) === key && plan.secrets_ref === planSecretsRef(key);
    if (!isItself) throw new MurmurError('PERMISSION_DENIED', `the object ${key} is the plan of another fan-out`);
    kept.set(key, plan);
    if (kept.size > KEPT) kept.delete(kept.keys().next().value ?? '');
    return plan;
  };
  return Object.assign(read, { forget: (key: string) => void kept.delete(key) });
}

/**
 * Throws PERMISSION_DENIED unless the plan is that of the workflow that has asked for the running activity: a fan-out that
 * somebody else started could name any object, also one that an agent has written.
 */
export function requireOwnPlan(key: string): void {
  const workflow = callingWorkflow();
  if (planKeyOf(workflow) === key) return;
  throw new MurmurError('PERMISSION_DENIED', `the object ${key} is not the plan of the fan-out ${workflow}`);
}

/** Reference of the spawn-time secrets of the fan-out with the plan. */
export function planSecretsRef(key: string): string {
  return secretsRef(key.replace(/^fanouts/, 'fanout'), key.slice(key.lastIndexOf('/') + 1));
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
    prompt: await storeText(
      objects,
      id,
      { kind: 'prompt', id: spawnId },
      expandDescription(plan.description, entry.item),
    ),
    secrets: { ref: secretsRef(id, spawnId), names },
    token_id: tokenId(id, spawnId),
    session_id: randomUUID(),
    created_at: new Date().toISOString(),
    slot: { fanout: fanoutWorkflowId(plan.place, plan.id), index },
  };
}
