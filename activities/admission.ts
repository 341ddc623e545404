// Which agents the activities accept: those whose spec this installation has sealed, in their own workflow.
import { createHash } from 'node:crypto';
import { Context } from '@temporalio/activity';
import type { AgentSpec, OfAgent } from '../contract/wire/agent.ts';
import { recordKey } from '../contract/wire/object-keys.ts';
import { notSealed } from '../agents/references.ts';
import { isSealed, requireSealed } from '../agents/seal-check.ts';
import { sealedPart } from '../agents/sealed.ts';
import type { SealStores } from '../agents/sealed.ts';

export interface Admission {
  /** Like `admitAnew`, but uses the cache unless `again` is set. */
  admit(agentId: string, given: OfAgent, options?: { readonly again?: boolean }): Promise<AgentSpec>;
  /** Whether the spec is the agent's own and sealed, even if the agent has ended. */
  isSealed(agentId: string, given: OfAgent): Promise<boolean>;
  /** Forgets an agent that has ended: its seal is no longer valid. */
  forget(agentId: string): void;
}

/** An input together with its agent's sealed spec. */
export type Admitted<Input extends OfAgent> = Input & { readonly spec: AgentSpec };

/** Cached agents, at some 2 KB each, so at most 10 MB: more than a host runs. */
const REMEMBERED = 5_000;

/** A cached spec, which was found to be sealed. */
interface Known {
  /** The mark of inputs that name this spec (`markOf`). */
  readonly mark: string;
  /** Without the prompt, its largest part, which no activity reads from here. */
  readonly spec: AgentSpec;
}

/** One per worker: it caches sealed specs by workflow id. */
export function createAdmission(stores: SealStores): Admission {
  const known = new Map<string, Known>();

  return {
    async admit(agentId, given, { again = false } = {}) {
      const mark = markOf(given);
      const cached = known.get(agentId);
      if (!again && cached?.mark === mark) return cached.spec;
      const spec = { ...(await admitAnew(stores, agentId, given)), prompt: { text: '' } };
      known.set(agentId, { mark, spec });
      if (known.size > REMEMBERED) known.delete(known.keys().next().value ?? '');
      return spec;
    },
    async isSealed(agentId, given) {
      if (known.get(agentId)?.mark === markOf(given)) return true;
      return await isSealed(stores, agentId, given);
    },
    forget: (agentId) => void known.delete(agentId),
  };
}

/**
 * The agent's spec. Throws PERMISSION_DENIED if it is not the agent's own, is not sealed, or refers to what belongs to
 * another agent, and if the agent has ended.
 */
export async function admitAnew(stores: SealStores, agentId: string, given: OfAgent): Promise<AgentSpec> {
  const spec = await requireSealed(stores, agentId, given);
  // The record is written at the end, so the spec of an ended agent cannot start it again.
  if ((await stores.objects.get(recordKey(agentId))) !== undefined) throw notSealed(agentId, 'the agent has ended');
  return spec;
}

/** Id of the workflow that scheduled the running activity, from Temporal and not from the input. */
export function callingWorkflow(): string {
  return Context.current().info.workflowExecution?.workflowId ?? '';
}

/** Equal for inputs that stand for the same spec in the same form. */
function markOf({ session, spec }: OfAgent): string {
  if (session !== undefined) return JSON.stringify([session.agent, session.spawn_id, session.seal]);
  return spec === undefined ? '' : createHash('sha256').update(sealedPart(spec)).digest('base64url');
}
