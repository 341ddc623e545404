// Whether there is or was such an agent, for operations that then only read its log.
import type { ServerParts } from '../parts.ts';
import { notFound } from './absence.ts';
import type { AgentAddress } from './address.ts';
import { findWaiting } from '../fanouts/waiting.ts';
import { describeExecution } from './execution.ts';
import { readRecord } from './record.ts';

/** Throws NOT_FOUND, and UNAVAILABLE when Temporal does not answer for an agent without a record. */
export async function requireAgent(parts: ServerParts, agent: AgentAddress): Promise<void> {
  if ((await readRecord(parts, agent.id)) !== undefined) return;
  if ((await describeExecution(parts, agent)) !== undefined) return;
  if ((await findWaiting(parts, agent)) !== undefined) return;
  // It may have got its slot between the two looks.
  if ((await describeExecution(parts, agent)) === undefined) throw notFound(agent);
}
