// The end of an agent that no worker ends: the API server cleans up after it, in the order of every end (end.ts).
import type { AgentRecord, PendingCleanup, ReceiptLine } from '../contract/wire/agent.ts';
import { MurmurError } from '../contract/wire/errors.ts';
import { agentRecord } from '../contract/wire/status.ts';
import { DEFAULT_PROVIDER, providerNamed } from '../drivers/machines/configured.ts';
import { endInOrder, receiptOf } from './end.ts';
import type { Execution } from './find.ts';
import { terminateFlight } from './flights.ts';
import { describeMachineOf } from './machine.ts';
import { machineName } from './names.ts';
import type { AgentAddress } from './names.ts';
import type { AgentPlatform } from './platform.ts';
import { latestSnapshot } from './snapshots.ts';
import { listedStatus } from './status.ts';

/**
 * Ends an agent whose workflow has closed and that no worker has ended; answers its line of a receipt. Its runner is not asked
 * for a last snapshot.
 * @param left what the workflow has told of itself, when it could
 */
export async function endWithoutWorker(
  platform: AgentPlatform,
  agent: AgentAddress,
  execution: Execution,
  left?: PendingCleanup,
): Promise<ReceiptLine> {
  const { spawn_id: spawnId, provider } = execution.memo;
  const ended = { agent: agent.id, spawnId };
  let line: ReceiptLine | undefined;
  await endInOrder(platform, ended, {
    endFlight: async () => await terminateFlight(platform, agent),
    endMachine: async () => (spawnId === undefined ? 'unknown' : await destroy(platform, agent.id, spawnId, provider)),
    record: async (machineState) => {
      const known = left?.record ?? (await listedRecord(platform, agent, execution));
      const snapshot = (await latestSnapshot(platform.objects, agent))?.key;
      const record = unattendedRecord(known, execution, machineState, snapshot);
      line = { ...receiptOf(record), machine_state: machineState };
      return record;
    },
    publish: async () => await publishEnd(platform, agent, execution, left),
  });
  if (line === undefined) throw new Error(`the end of ${agent.id} has written no record`);
  return line;
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
    const hint = error instanceof MurmurError && error.hint !== undefined ? `; ${error.hint}` : '';
    return `not destroyed: ${error instanceof Error ? error.message : String(error)}${hint}`;
  }
}

/** The events that the workflow could not publish, at least its end: without it, viewers would wait for more. */
async function publishEnd(
  platform: AgentPlatform,
  agent: AgentAddress,
  execution: Execution,
  left: PendingCleanup | undefined,
): Promise<void> {
  const last = await platform.events.lastSeq(agent.id, 'workflow');
  if (left !== undefined && (left.events[0]?.seq ?? 0) <= last + 1) {
    await platform.events.append(agent.id, 'workflow', left.events);
    return;
  }
  const at = (execution.closedAt ?? new Date()).toISOString();
  const event = { type: 'phase', phase: execution.phase, reason: 'no worker ended it' } as const;
  await platform.events.append(agent.id, 'workflow', [{ seq: last + 1, at, event }]);
}

/** The record with what has become of the machine. */
function unattendedRecord(
  record: AgentRecord,
  { memo }: Execution,
  machineState: string,
  snapshot: string | undefined,
): AgentRecord {
  const { machine: name = 'unknown', provider = DEFAULT_PROVIDER } = memo;
  const { vm = { name, provider, isolation: 'unknown' } } = record.status;
  return {
    ...record,
    status: {
      ...record.status,
      reason: 'it was ended without a worker: there is no last snapshot',
      vm: { ...vm, state: machineState === 'destroyed' ? 'gone' : 'running' },
    },
    ...(snapshot === undefined ? {} : { snapshot }),
  };
}

async function listedRecord(platform: AgentPlatform, agent: AgentAddress, execution: Execution): Promise<AgentRecord> {
  const { stale: _stale, ...status } = await listedStatus(platform, agent, execution);
  const { spawn_id = '' } = execution.memo;
  const { created_at } = status;
  const known = {
    identity: agent.identity,
    spawn_id,
    repos: [],
    session_id: '',
    backend: 'claude',
    created_at,
  } as const;
  return agentRecord(known, status);
}
