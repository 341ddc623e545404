// A fan-out's plan, as the activities of its workflow read it.
import { ApplicationFailure } from '@temporalio/common';
import { MurmurError } from '../../contract/wire/errors.ts';
import { planKey, planKeyOf } from '../../contract/wire/fanout/plan.ts';
import type { FanoutPlan } from '../../contract/wire/fanout/plan.ts';
import { secretsRef } from '../../agents/names.ts';
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
