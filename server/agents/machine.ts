// The machine on which an agent works.
import type { AgentIdentity } from '../../contract/wire/identity.ts';
import type { ServerParts } from '../parts.ts';
import { ended, notFound } from './absence.ts';
import { addressOfIdentity } from './address.ts';
import { describeExecution } from './execution.ts';

/** The machine's name. Throws NOT_FOUND for an agent that nobody knows, FAILED_PRECONDITION for one that has ended. */
export async function machineOf(parts: ServerParts, identity: AgentIdentity): Promise<string> {
  const agent = addressOfIdentity(identity);
  const execution = await describeExecution(parts, agent);
  if (execution?.memo.machine === undefined) throw notFound(agent);
  if (execution.closed) throw ended(agent, execution.phase);
  return execution.memo.machine;
}
