// Whether there is or was such an agent, for operations that then only read its log.
import type { ServerParts } from '../parts.ts';
import { notFound } from './absence.ts';
import type { AgentAddress } from './address.ts';
import { describeExecution } from './execution.ts';
import { readRecord } from './record.ts';

/** Throws NOT_FOUND. */
export async function requireAgent(parts: ServerParts, agent: AgentAddress): Promise<void> {
  if ((await describeExecution(parts, agent)) !== undefined) return;
  if ((await readRecord(parts, agent.id)) === undefined) throw notFound(agent);
}
