// Whether a spec is the one that this installation has sealed for its agent.
import type { AgentSpec } from '../contract/wire/agent.ts';
import { MurmurError } from '../contract/wire/errors.ts';
import { workflowIdOf } from '../contract/wire/identity.ts';
import { checkReferences, notSealed } from './references.ts';
import { changedField, readSealedSpec } from './sealed.ts';
import type { SealStores } from './sealed.ts';

/** Throws PERMISSION_DENIED for a spec that is not the agent's own, is not as it was sealed, or refers to another agent's. */
export async function requireSealed(stores: SealStores, agentId: string, spec: AgentSpec): Promise<void> {
  checkReferences(spec);
  if (workflowIdOf(spec.identity) !== agentId) throw notSealed(agentId, 'it is the spec of another agent');
  const sealed = await readSealedSpec(stores, agentId, spec.spawn_id);
  if (sealed === undefined) throw notSealed(agentId, `spawn ${JSON.stringify(spec.spawn_id)} has no valid seal`);
  const field = changedField(sealed, spec);
  if (field !== undefined) throw notSealed(agentId, `${field} is not as it was sealed`);
}

/** Whether `requireSealed` passes. */
export async function isSealed(stores: SealStores, agentId: string, spec: AgentSpec): Promise<boolean> {
  try {
    await requireSealed(stores, agentId, spec);
    return true;
  } catch (error) {
    if (error instanceof MurmurError && error.code === 'PERMISSION_DENIED') return false;
    throw error;
  }
}
