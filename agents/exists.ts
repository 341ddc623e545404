// Whether there is or was such an agent, for operations that then only read its log.
import type { AgentPlatform } from './platform.ts';
import { notFound } from './absence.ts';
import type { AgentAddress } from './names.ts';
import { locateAgent } from './find.ts';
import { readRecord } from './record.ts';

/** Throws NOT_FOUND, and UNAVAILABLE when Temporal does not answer for an agent without a record. */
export async function requireAgent(parts: AgentPlatform, agent: AgentAddress): Promise<void> {
  if ((await readRecord(parts, agent.id)) !== undefined) return;
  if ((await locateAgent(parts, agent)) === undefined) throw notFound(agent);
}
