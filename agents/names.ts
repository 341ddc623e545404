// Addresses of agents, and names derived from a spawn. They are the same for a repeated spawn, so that it creates
// nothing twice.
import { createHash } from 'node:crypto';
import { absolutePathOf, workflowIdOf } from '../contract/wire/identity.ts';
import type { AgentIdentity } from '../contract/wire/identity.ts';
import { isWithin } from '../contract/wire/rights.ts';
import type { Caller } from '../contract/wire/rights.ts';
import { AGENT_TOKEN_ID } from '../contract/wire/tokens.ts';

/** The address of an agent: its identity and the slug by which the caller named it. */
export interface AgentAddress {
  /** As the caller gave it. */
  readonly slug: string;
  readonly identity: AgentIdentity;
  /** Workflow id; also the key in event log and object store. */
  readonly id: string;
  /** Absolute path. */
  readonly path: string;
}

/** The name by which the caller can address the agent: relative if possible, else the absolute path. */
export function nameFor({ account, agent }: Caller, identity: AgentIdentity): string {
  if (identity.account !== account) return absolutePathOf(identity);
  if (agent === undefined) return identity.path.join('/');
  return isWithin(identity, agent) ? identity.path.slice(agent.path.length).join('/') : absolutePathOf(identity);
}

/** The address of a known identity. */
export function addressOfIdentity(identity: AgentIdentity, slug = identity.path.join('/')): AgentAddress {
  return { slug, identity, id: workflowIdOf(identity), path: absolutePathOf(identity) };
}

/** Name of an agent's machine: `murmur-<8 hex>`. */
export function machineName(agentId: string, spawnId: string): string {
  return `murmur-${digest(agentId, spawnId).slice(0, 8)}`;
}

/** Key of an agent's secrets. The workflow's memo has the ids to derive it. */
export function secretsRef(agentId: string, spawnId: string): string {
  return `spawn-${digest(agentId, spawnId).slice(0, 32)}`;
}

/** Id of an agent's own token. The workflow's memo has the ids to derive it. */
export function tokenId(agentId: string, spawnId: string): string {
  return `${AGENT_TOKEN_ID}${digest(agentId, spawnId).slice(32, 56)}`;
}

function digest(agentId: string, spawnId: string): string {
  return createHash('sha256').update(`${agentId}\n${spawnId}`).digest('hex');
}
