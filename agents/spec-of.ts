// The spec of an agent that was started before.
import type { AgentSpec } from '../contract/wire/agent.ts';
import { readSealedSpec } from './sealed.ts';
import type { AgentPlatform } from './platform.ts';
import type { AgentAddress } from './names.ts';
import { describeExecution } from './execution.ts';
import { readRecord } from './record.ts';

/**
 * What the agent was started with, as it was sealed; undefined for an agent that never was, or was started past the API.
 * Throws the SDK's errors, UNAVAILABLE when Temporal is silent.
 */
export async function specOf(parts: AgentPlatform, agent: AgentAddress): Promise<AgentSpec | undefined> {
  // Which spawn it is may be read from Temporal: there is a seal for those alone that were made here.
  const spawnId =
    (await describeExecution(parts, agent))?.memo.spawn_id ?? (await readRecord(parts, agent.id))?.spec.spawn_id;
  return spawnId === undefined ? undefined : await readSealedSpec(parts, agent.id, spawnId);
}
