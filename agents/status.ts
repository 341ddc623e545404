// The state of an agent: from its workflow, from its record when it has ended, or from what Temporal lists.
import type { AgentRecord, AgentStatus } from '../contract/wire/agent.ts';
import type { TimelineType } from '../contract/wire/events.ts';
import { defined } from '../contract/wire/defined.ts';
import { waitingStatus } from '../contract/wire/fanout/status.ts';
import { isTerminal } from '../contract/wire/phases.ts';
import { agentStatus } from '../contract/wire/status.ts';
import type { AgentPlatform } from './platform.ts';
import { describeExecution, notFound, readResult } from './find.ts';
import type { Execution } from './find.ts';
import type { AgentAddress } from './names.ts';
import { findWaiting } from './fanouts/plans.ts';
import { readProgress, readProgressAndCost } from './progress.ts';
import type { Progress } from './progress.ts';
import { queryAgent } from './messages.ts';
import { readRecord } from './record.ts';
import { startFailureOf } from './start-failure.ts';

/** What the workflow knows, what the event log adds, and whether it may be out of date. */
export type FullStatus = AgentStatus & Progress & { readonly stale?: string };

/** The state of an agent, living or ended. Throws NOT_FOUND, and UNAVAILABLE when Temporal does not answer. */
export async function readStatus(
  platform: AgentPlatform,
  agent: AgentAddress,
  timeline?: readonly TimelineType[],
  children = false,
): Promise<FullStatus> {
  const query = { ...(timeline === undefined ? {} : { timeline }), ...(children ? { children } : {}) };
  const reply = await queryAgent(platform, agent, 'status', query);
  if (reply.kind === 'answer') {
    const { answer } = reply;
    const reason = answer.phase === 'starting' ? await startFailureOf(platform, agent) : undefined;
    return { ...answer, ...defined({ reason: reason ?? answer.reason }), ...(await readProgress(platform, agent.id)) };
  }
  const record = await readRecord(platform, agent.id);
  if (record !== undefined) {
    return { ...statusOfRecord(record, timeline, children), ...(await readProgress(platform, agent.id)) };
  }
  const execution = await describeExecution(platform, agent);
  const result = execution?.closed === true ? await readResult(platform, agent) : undefined;
  const left = result?.left;
  if (left !== undefined) {
    return { ...statusOfRecord(left.record, timeline, children), ...(await readProgress(platform, agent.id)) };
  }
  if (execution !== undefined) {
    // A record is missing while the machine cannot be destroyed, as on a host that cannot be reached.
    const reason = result?.reason;
    const listed = await listedStatus(platform, agent, execution, timeline);
    return reason === undefined ? listed : { ...listed, reason };
  }
  return await statusBeforeStart(platform, agent, timeline, children);
}

/** The state of an agent that waits for a slot. Reads the status of one that has been started in the meantime. */
async function statusBeforeStart(
  platform: AgentPlatform,
  agent: AgentAddress,
  timeline: readonly TimelineType[] | undefined,
  children: boolean,
): Promise<FullStatus> {
  const waiting = await findWaiting(platform, agent);
  if (waiting !== undefined) {
    const status = waitingStatus(waiting.known.plan, agent.identity.path.at(-1) ?? '');
    return timeline === undefined ? status : { ...status, timeline: [] };
  }
  if ((await describeExecution(platform, agent)) === undefined) throw notFound(agent);
  return await readStatus(platform, agent, timeline, children);
}

/** The status as it was when the agent ended. */
export function statusOfRecord(
  record: AgentRecord,
  timeline: readonly TimelineType[] | undefined,
  children = false,
): AgentStatus {
  const { timeline: whole = [], children: all, ...rest } = record.status;
  const status = { ...rest, ...(children && all !== undefined ? { children: all } : {}) };
  if (timeline === undefined) return status;
  return { ...status, timeline: whole.filter((entry) => timeline.some((type) => type === entry.type)) };
}

/** The state as far as memo, search attributes and event log show it. */
export async function listedStatus(
  platform: AgentPlatform,
  agent: AgentAddress,
  execution: Execution,
  timeline?: readonly TimelineType[],
): Promise<FullStatus> {
  const { cost, ...progress } = await readProgressAndCost(platform, agent.id);
  const { memo, phase, startedAt, closedAt } = execution;
  const started = {
    identity: agent.identity,
    ...defined({ purpose: memo.purpose === '' ? undefined : memo.purpose }),
    on_idle: 'keep_alive',
    dequeue_strategy: 'all',
    created_at: memo.created_at ?? startedAt.toISOString(),
  } as const;
  const status = agentStatus(started, {
    phase,
    phase_since: (closedAt ?? startedAt).toISOString(),
    cost: { total_usd: cost, own_usd: cost, children_usd: 0, by_model: {} },
    timeline: timeline && [],
    ended_at: closedAt?.toISOString(),
    pending_input: false,
  });
  const stale = isTerminal(phase)
    ? 'it ended without leaving a record'
    : `no worker has answered within ${String(platform.timing.query / 1000)} seconds`;
  return { ...status, stale, ...progress };
}
