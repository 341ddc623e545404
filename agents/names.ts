// Names of agents, and of what belongs to one spawn of an agent: the same for the same spawn, so that a repeated one makes
// nothing twice.
import { createHash } from 'node:crypto';
import { absolutePathOf, workflowIdOf } from '../contract/wire/identity.ts';
import type { AgentIdentity } from '../contract/wire/identity.ts';
import { isWithin } from '../contract/wire/rights.ts';
import type { Caller } from '../contract/wire/rights.ts';
import { AGENT_TOKEN_ID } from '../contract/wire/tokens.ts';

/** An agent as it was named and as it is known. */
export interface AgentAddress {
  /** As typed. */
  readonly slug: string;
  readonly identity: AgentIdentity;
  /** Workflow id, and its key in event log and object store. */
  readonly id: string;
  /** Absolute path. */
  readonly path: string;
}

/** What the caller may call the agent: relative to itself where that is possible, as a slug is read again. */
export function nameFor({ account, agent }: Caller, identity: AgentIdentity): string {
  if (identity.account !== account) return absolutePathOf(identity);
  if (agent === undefined) return identity.path.join('/');
  return isWithin(identity, agent) ? identity.path.slice(agent.path.length).join('/') : absolutePathOf(identity);
}

/** The address of a known identity. */
export function addressOfIdentity(identity: AgentIdentity, slug = identity.path.join('/')): AgentAddress {
  return { slug, identity, id: workflowIdOf(identity), path: absolutePathOf(identity) };
}

/** `murmur-<8 hex>`, the same for the same spawn. */
export function machineName(agentId: string, spawnId: string): string {
  return `murmur-${digest(agentId, spawnId).slice(0, 8)}`;
}

/** Key of an agent's secrets, which can be found again from its memo. */
export function secretsRef(agentId: string, spawnId: string): string {
  return `spawn-${digest(agentId, spawnId).slice(0, 32)}`;
}

/** Id of an agent's own token, which can be found again from its memo. */
export function tokenId(agentId: string, spawnId: string): string {
  return `${AGENT_TOKEN_ID}${digest(agentId, spawnId).slice(32, 56)}`;
}

function digest(agentId: string, spawnId: string): string {
  return createHash('sha256').update(`${agentId}\n${spawnId}`).digest('hex');
}
