// What is left to do for an agent whose workflow could not end it: done here, by name.
import type { AgentRecord, AgentRemains, ReceiptLine } from '../contract/wire/agent.ts';
import type { AgentPlatform } from './platform.ts';
import type { AgentAddress } from './names.ts';
import type { Execution } from './find.ts';
import { recordKey } from '../contract/wire/object-keys.ts';
import { describeMachineOf } from './machine.ts';
import { machineName, secretsRef, tokenId } from './names.ts';
import { DEFAULT_PROVIDER, providerNamed } from '../drivers/machines/configured.ts';
import { terminateFlight } from './flights.ts';
import { listedStatus } from './status.ts';

/**
 * Destroys the machine, deletes the secrets, tells the log and writes the record. Doing it again changes nothing.
 * @param left what the workflow has told of itself, when it could
 */
export async function cleanUp(
  platform: AgentPlatform,
  agent: AgentAddress,
  execution: Execution,
  left?: AgentRemains,
): Promise<AgentRecord> {
  const { spawn_id: spawnId } = execution.memo;
  const state = spawnId === undefined ? 'unknown' : await destroy(platform, agent.id, spawnId, execution.memo.provider);
  await terminateFlight(platform, agent);
  if (spawnId !== undefined) {
    await platform.tokenStore.delete(tokenId(agent.id, spawnId));
    await platform.secrets.delete(secretsRef(agent.id, spawnId));
  }
  await tellLog(platform, agent, execution, left);
  const record = left?.record ?? (await recordOf(platform, agent, execution));
  const ended = withMachine(record, execution, state);
  await platform.objects.put(recordKey(agent.id), JSON.stringify(ended));
  return ended;
}

/**
 * `destroyed`, or why not: a machine that cannot be destroyed must not hide that the agent has ended. It is the agent's own,
 * whatever the memo of its workflow names.
 */
async function destroy(
  { machines }: AgentPlatform,
  agent: string,
  spawnId: string,
  providerName: string | undefined,
): Promise<string> {
  const name = machineName(agent, spawnId);
  try {
    const provider = providerNamed(machines, providerName);
    await describeMachineOf(provider, name, { agentId: agent, spawnId });
    await provider.destroy(name);
    return 'destroyed';
  } catch (error) {
    return `not destroyed: ${error instanceof Error ? error.message : String(error)}`;
  }
}

/** The events that the workflow could not publish, at least its end: without it, viewers would wait for more. */
async function tellLog(
  platform: AgentPlatform,
  agent: AgentAddress,
  execution: Execution,
  left: AgentRemains | undefined,
): Promise<void> {
  const last = await platform.events.lastSeq(agent.id, 'workflow');
  const follow = left !== undefined && (left.events[0]?.seq ?? 0) <= last + 1;
  if (follow) {
    await platform.events.append(agent.id, 'workflow', left.events);
    return;
  }
  const seq = last + 1;
  const at = (execution.closedAt ?? new Date()).toISOString();
  const event = { type: 'phase', phase: execution.phase, reason: 'no worker ended it' } as const;
  await platform.events.append(agent.id, 'workflow', [{ seq, at, event }]);
}

/** The record with what has become of the machine. */
function withMachine(record: AgentRecord, { memo }: Execution, state: string): AgentRecord {
  const {
    vm = { name: memo.machine ?? 'unknown', provider: memo.provider ?? DEFAULT_PROVIDER, isolation: 'unknown' },
  } = record.status;
  return {
    ...record,
    status: {
      ...record.status,
      reason: 'it was ended without a worker: there is no last snapshot',
      vm: { ...vm, state: state === 'destroyed' ? 'gone' : 'running' },
    },
  };
}

async function recordOf(platform: AgentPlatform, agent: AgentAddress, execution: Execution): Promise<AgentRecord> {
  const { stale: _stale, ...status } = await listedStatus(platform, agent, execution);
  const { spawn_id: spawnId = '' } = execution.memo;
  return {
    status,
    tasks: [],
    spec: {
      identity: agent.identity,
      spawn_id: spawnId,
      repos: [],
      session_id: '',
      backend: 'claude',
      created_at: status.created_at,
    },
  };
}

/** The line that a kill prints for an ended agent. */
export function receiptOf(record: AgentRecord): ReceiptLine {
  const { path, phase, vm, cost } = record.status;
  return {
    path,
    phase,
    machine: vm?.name ?? 'unknown',
    machine_state: vm?.state === 'gone' ? 'destroyed' : (vm?.state ?? 'unknown'),
    ...(record.snapshot === undefined ? {} : { snapshot: record.snapshot }),
    cost_usd: cost.total_usd,
  };
}
