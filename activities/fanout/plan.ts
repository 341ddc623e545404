// Reads a fan-out's plan for the activities of its workflow.
import { ApplicationFailure } from '@temporalio/common';
import { MurmurError } from '../../contract/wire/errors.ts';
import { planKey, planKeyOf } from '../../contract/wire/fanout/plan.ts';
import type { FanoutPlan } from '../../contract/wire/fanout/plan.ts';
import { secretsRef } from '../../agents/names.ts';
import type { ObjectStore } from '../../drivers/objects/object-store.ts';
import { callingWorkflow } from '../admission.ts';

/**
 * Reads the plan of the fan-out that scheduled the activity. Caches the newest few, because a plan of 10,000 items is
 * read once per fifty items.
 */
export interface PlanReader {
  (key: string): Promise<FanoutPlan>;
  /** Drops a plan from the cache, after its fan-out has ended. */
  forget(key: string): void;
}

/** Plans in the cache. */
const KEPT = 4;

/** Creates a reader. It fails with NOT_FOUND, not retryable, for a deleted plan, and throws like `requireOwnPlan`. */
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
 * Throws PERMISSION_DENIED unless the plan belongs to the workflow that scheduled the activity. A forged fan-out could
 * name any object, even one that an agent has written.
 */
export function requireOwnPlan(key: string): void {
  const workflow = callingWorkflow();
  if (planKeyOf(workflow) === key) return;
  throw new MurmurError('PERMISSION_DENIED', `the object ${key} is not the plan of the fan-out ${workflow}`);
}

/** Reference of the spawn-time secrets of the plan's fan-out. */
export function planSecretsRef(key: string): string {
  return secretsRef(key.replace(/^fanouts/, 'fanout'), key.slice(key.lastIndexOf('/') + 1));
}
