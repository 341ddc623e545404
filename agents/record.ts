// Records of ended agents, which outlive Temporal's histories.
import type { AgentRecord } from '../contract/wire/agent.ts';
import { recordKey } from '../contract/wire/object-keys.ts';
import type { ObjectStore } from '../drivers/objects/object-store.ts';
import { readSealedSpec } from './sealed.ts';
import type { SealStores } from './sealed.ts';

/** The agent's record; undefined if it has not ended or never existed. */
export async function readRecord(
  { objects }: { readonly objects: ObjectStore },
  agentId: string,
): Promise<AgentRecord | undefined> {
  const content = await objects.get(recordKey(agentId));
  return content === undefined ? undefined : (JSON.parse(content.toString('utf8')) as AgentRecord);
}

/**
 * The record with the sealed spec, from which the agent can be started again. The record itself may come from a forged
 * history. Only the session id is taken from it, because the agent program may use another one than the spec.
 */
export async function withWholeSpec(
  stores: SealStores,
  { agent, spawnId }: { readonly agent: string; readonly spawnId: string | undefined },
  record: AgentRecord,
): Promise<AgentRecord> {
  const sealed = spawnId === undefined ? undefined : await readSealedSpec(stores, agent, spawnId);
  if (sealed === undefined) return record;
  const { session_id: recorded } = record.spec;
  return { ...record, spec: recorded === '' ? sealed : { ...sealed, session_id: recorded } };
}
