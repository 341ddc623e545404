// What an agent has left that was killed with its parent: its killer ends its machine after its workflow has ended.
import type { AgentRecord, AgentRemains, AgentResult } from '../contract/wire/agent.ts';
import type { AgentPlatform } from './platform.ts';
import type { AgentAddress } from './names.ts';
import { followLog } from './log.ts';
import { readRecord } from './record.ts';
import { inTime, workflowOf } from './temporal.ts';

/** By the result of the agent, which has ended. Undefined when it left nothing, or has no result. */
export async function remainsOf(platform: AgentPlatform, agent: AgentAddress): Promise<AgentRemains | undefined> {
  try {
    const { left } = await inTime(platform, async () => (await workflowOf(platform, agent).result()) as AgentResult);
    return left;
  } catch {
    // It was terminated, or failed.
    return undefined;
  }
}

/**
 * The record of such an agent, which is written when its machine has gone. Undefined when nobody has written it after the
 * time in which a dead worker is replaced, and when the signal aborts.
 */
export async function awaitRecord(
  platform: AgentPlatform,
  agent: AgentAddress,
  signal: AbortSignal,
): Promise<AgentRecord | undefined> {
  const patience = AbortSignal.any([signal, AbortSignal.timeout(platform.timing.killUnanswered)]);
  const [newest] = await platform.events.tail(agent.id, 1);
  const record = await readRecord(platform, agent.id);
  if (record !== undefined) return record;
  // Its last event is logged after the record.
  for await (const _entry of followLog(platform, agent.id, newest?.id ?? 0, patience)) {
    const written = await readRecord(platform, agent.id);
    if (written !== undefined) return written;
  }
  return undefined;
}
