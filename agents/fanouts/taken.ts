// Finds the slugs of a fan-out that are in use already.
import pLimit from 'p-limit';
import { AGENT_WORKFLOW } from '../../contract/wire/messages.ts';
import { plansPrefix } from '../../contract/wire/fanout/plan.ts';
import type { MurmurError } from '../../contract/wire/errors.ts';
import type { SlugContext } from '../../contract/wire/identity.ts';
import { describeExecution, ended, readExecution, runsAlready } from '../find.ts';
import type { Execution } from '../find.ts';
import type { AgentAddress } from '../names.ts';
import { readRecord } from '../record.ts';
import { inTime } from '../temporal.ts';
import type { AgentPlatform } from '../platform.ts';
import { allWaiting } from './plans.ts';

/**
 * Up to this many agents are looked up one by one. Above, one list is read, which is some hundred milliseconds behind.
 */
const SINGLE_LOOKUPS = 50;
/** Concurrent lookups. */
const READERS = 32;

/** Why a slug cannot be used, by path. Free slugs are absent, and those of the same call, if it is repeated. */
export async function takenAgents(
  platform: AgentPlatform,
  place: SlugContext,
  agents: readonly AgentAddress[],
  callId: string,
): Promise<ReadonlyMap<string, MurmurError>> {
  const executions = await executionsOf(platform, agents);
  const others = (await allWaiting(platform, plansPrefix(place))).filter(({ known }) => known.plan.id !== callId);
  const waiting = new Set(others.map(({ identity }) => identity.path.join('/')));
  // Exact comparison: the id of another call may begin with this one's.
  const isOwn = (spawnId = ''): boolean => spawnId.replace(/-\d+$/, '') === callId && spawnId !== callId;
  const reasons = await pLimit(READERS).map(agents, async (agent): Promise<MurmurError | undefined> => {
    const execution = executions.get(agent.id);
    if (execution !== undefined && !execution.closed) {
      return isOwn(execution.memo.spawn_id) ? undefined : runsAlready(agent);
    }
    const record = await readRecord(platform, agent.id);
    if (record !== undefined) return isOwn(record.spec.spawn_id) ? undefined : ended(agent, record.status.phase);
    if (execution !== undefined) return isOwn(execution.memo.spawn_id) ? undefined : ended(agent, execution.phase);
    return waiting.has(agent.identity.path.join('/')) ? runsAlready(agent) : undefined;
  });
  return new Map(agents.flatMap(({ path }, place) => (reasons[place] === undefined ? [] : [[path, reasons[place]]])));
}

async function executionsOf(
  platform: AgentPlatform,
  agents: readonly AgentAddress[],
): Promise<ReadonlyMap<string, Execution>> {
  if (agents.length <= SINGLE_LOOKUPS) {
    const found = await pLimit(READERS).map(agents, async (agent) => await describeExecution(platform, agent));
    return new Map(found.flatMap((each) => (each === undefined ? [] : [[each.id, each]])));
  }
  const [first] = agents;
  const prefix = first?.id.slice(0, first.id.lastIndexOf('/') + 1) ?? '';
  const query = `WorkflowType = "${AGENT_WORKFLOW}" AND WorkflowId STARTS_WITH "${prefix}"`;
  const found = new Map<string, Execution>();
  await inTime(platform, async () => {
    for await (const info of platform.temporal.workflow.list({ query, pageSize: 1_000 })) {
      const execution = readExecution(info);
      const known = found.get(execution.id);
      if (known === undefined || known.startedAt < execution.startedAt) found.set(execution.id, execution);
    }
  });
  return found;
}
