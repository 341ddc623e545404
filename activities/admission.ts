// Which agents the activities accept: those whose spec this installation has sealed, in their own workflow.
import { createHash } from 'node:crypto';
import { Context } from '@temporalio/activity';
import type { AgentSpec } from '../contract/wire/agent.ts';
import { recordKey } from '../contract/wire/object-keys.ts';
import { isPastLife } from '../agents/lives.ts';
import { notSealed } from '../agents/references.ts';
import { isSealed, requireSealed } from '../agents/seal-check.ts';
import { sealedPart } from '../agents/sealed.ts';
import type { SealStores } from '../agents/sealed.ts';

export interface Admission {
  /** Like `admitAnew`, but uses the cache unless `again` is set. */
  admit(agentId: string, spec: AgentSpec, options?: { readonly again?: boolean }): Promise<void>;
  /** Whether the spec is the agent's own and sealed, even if the agent has ended. */
  isSealed(agentId: string, spec: AgentSpec): Promise<boolean>;
  /** Forgets an agent that has ended: its seal is no longer valid. */
  forget(agentId: string): void;
}

/** Cached agents, at some 200 bytes each: more than a host runs. */
const REMEMBERED = 5_000;

/** One per worker: it caches which specs are sealed. */
export function createAdmission(stores: SealStores): Admission {
  /** Workflow id → the hash of the sealed part of its spec. */
  const known = new Map<string, string>();

  return {
    async admit(agentId, spec, { again = false } = {}) {
      const hash = hashOf(spec);
      if (!again && known.get(agentId) === hash) return;
      await admitAnew(stores, agentId, spec);
      known.set(agentId, hash);
      if (known.size > REMEMBERED) known.delete(known.keys().next().value ?? '');
    },
    async isSealed(agentId, spec) {
      if (known.get(agentId) === hashOf(spec)) return true;
      return await isSealed(stores, agentId, spec);
    },
    forget: (agentId) => void known.delete(agentId),
  };
}

/**
 * Throws PERMISSION_DENIED for a spec that is not the agent's own, refers to what belongs to another agent or is not
 * sealed, and for an agent that has ended.
 */
export async function admitAnew(stores: SealStores, agentId: string, spec: AgentSpec): Promise<void> {
  await requireSealed(stores, agentId, spec);
  // The record is written at the end, so the spec of an ended agent cannot start it again, nor that of an earlier life.
  const record = await stores.objects.get(recordKey(agentId));
  if (record !== undefined || (await isPastLife(stores.objects, agentId, spec.spawn_id))) {
    throw notSealed(agentId, 'the agent has ended');
  }
}

/** Id of the workflow that scheduled the running activity, from Temporal and not from the input. */
export function callingWorkflow(): string {
  return Context.current().info.workflowExecution?.workflowId ?? '';
}

function hashOf(spec: AgentSpec): string {
  return createHash('sha256').update(sealedPart(spec)).digest('base64url');
}
