// Which spawn of an agent a link was made for. A slug is used once; the spawn id also refuses a link where somebody has
// deleted the record, or started a workflow past the API.
import { plannedSpawnId } from '../contract/wire/fanout/plan.ts';
import { isTerminal } from '../contract/wire/phases.ts';
import type { AgentPlatform } from './platform.ts';
import type { AgentAddress } from './names.ts';
import { locateAgent } from './find.ts';
import { readRecord } from './record.ts';

export interface AgentLife {
  /** Equal for the same agent only. */
  readonly spawnId: string;
  readonly hasEnded: boolean;
}

/** The agent of that name, living or ended; undefined when there is none. Throws UNAVAILABLE. */
export async function lifeOf(parts: AgentPlatform, agent: AgentAddress): Promise<AgentLife | undefined> {
  const found = await locateAgent(parts, agent);
  if (found === undefined) {
    const record = await readRecord(parts, agent.id);
    return record === undefined ? undefined : { spawnId: record.spec.spawn_id, hasEnded: true };
  }
  if ('waiting' in found) {
    const { known, index } = found.waiting;
    return { spawnId: plannedSpawnId(known.plan.id, index), hasEnded: false };
  }
  const { closed, memo, phase } = found.execution;
  return { spawnId: memo.spawn_id ?? '', hasEnded: closed || isTerminal(phase) };
}
