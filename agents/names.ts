// Names of what belongs to one spawn of an agent. The same for the same spawn, so that a repeated one makes nothing twice.
import { createHash } from 'node:crypto';
import { AGENT_TOKEN_ID } from '../contract/wire/tokens.ts';

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
