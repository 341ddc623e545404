// Whether an agent's spec, or the reference to it, is the one that this installation has sealed for the agent.
import type { AgentSpec, OfAgent, SessionRef } from '../contract/wire/agent.ts';
import { MurmurError } from '../contract/wire/errors.ts';
import { parseWorkflowId, workflowIdOf } from '../contract/wire/identity.ts';
import { checkReferences, isSpawnId, notSealed } from './references.ts';
import { changedField, readSeal } from './sealed.ts';
import type { SealStores } from './sealed.ts';

/**
 * The agent's spec. Throws PERMISSION_DENIED for one that is not the agent's own, is not as it was sealed, or refers to
 * what belongs to another agent.
 */
export async function requireSealed(
  stores: SealStores,
  agentId: string,
  { session, spec }: OfAgent,
): Promise<AgentSpec> {
  if (session !== undefined) return await referredSpec(stores, agentId, session);
  if (spec === undefined) throw notSealed(agentId, 'the activity was given neither a spec nor a reference to one');
  checkReferences(spec);
  if (workflowIdOf(spec.identity) !== agentId) throw notSealed(agentId, 'it is the spec of another agent');
  const sealed = await sealedSpec(stores, agentId, spec.spawn_id);
  const field = changedField(sealed, spec);
  if (field !== undefined) throw notSealed(agentId, `${field} is not as it was sealed`);
  return spec;
}

/** Whether `requireSealed` passes. */
export async function isSealed(stores: SealStores, agentId: string, given: OfAgent): Promise<boolean> {
  try {
    await requireSealed(stores, agentId, given);
    return true;
  } catch (error) {
    if (error instanceof MurmurError && error.code === 'PERMISSION_DENIED') return false;
    throw error;
  }
}

/** The stored spec that the reference names. The reference comes from a history, like a spec. */
async function referredSpec(
  stores: SealStores,
  agentId: string,
  { agent, spawn_id: spawnId, seal }: SessionRef,
): Promise<AgentSpec> {
  if (agent !== agentId) throw notSealed(agentId, 'it is the spec of another agent');
  if (parseWorkflowId(agentId) === undefined) throw notSealed(agentId, 'its identity is not valid');
  if (!isSpawnId(spawnId)) throw notSealed(agentId, 'its spawn id is not valid');
  const spec = await sealedSpec(stores, agentId, spawnId);
  checkReferences(spec);
  if (spec.seal !== seal) throw notSealed(agentId, 'the stored spec is not the one with which the agent was started');
  return spec;
}

async function sealedSpec(stores: SealStores, agentId: string, spawnId: string): Promise<AgentSpec> {
  const read = await readSeal(stores, agentId, spawnId);
  if ('spec' in read) return read.spec;
  throw notSealed(agentId, `spawn ${JSON.stringify(spawnId)} has no valid seal: ${read.problem}`);
}
