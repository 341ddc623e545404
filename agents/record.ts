// Records of ended agents: right after Temporal's history is gone.
import type { AgentRecord } from '../contract/wire/agent.ts';
import { recordKey } from '../contract/wire/object-keys.ts';
import type { AgentPlatform } from './platform.ts';

/** Undefined when the agent has none: it lives, or never was. */
export async function readRecord(platform: AgentPlatform, agentId: string): Promise<AgentRecord | undefined> {
  const content = await platform.objects.get(recordKey(agentId));
  return content === undefined ? undefined : (JSON.parse(content.toString('utf8')) as AgentRecord);
}
