// What is left to do for an agent whose workflow could not end it: done here, by name.
import type { AgentRecord, ReceiptLine } from '../../contract/wire/agent.ts';
import type { ServerParts } from '../parts.ts';
import type { AgentAddress } from './address.ts';
import type { Execution } from './execution.ts';
import { recordKey } from '../../contract/wire/object-keys.ts';
import { secretsRef, tokenId } from '../../drivers/agents/names.ts';
import { terminateFlight } from '../flights/calls.ts';
import { listedStatus } from './status.ts';

/** Destroys the machine, deletes the secrets, tells the log and writes the record. Doing it again changes nothing. */
export async function cleanUp(parts: ServerParts, agent: AgentAddress, execution: Execution): Promise<AgentRecord> {
  const { machine, spawn_id: spawnId } = execution.memo;
  const state = machine === undefined ? 'unknown' : await destroy(parts, machine);
  await terminateFlight(parts, agent);
  if (spawnId !== undefined) {
    await parts.tokenStore.delete(tokenId(agent.id, spawnId));
    await parts.secrets.delete(secretsRef(agent.id, spawnId));
  }
  await tellLog(parts, agent, execution);
  const record = await recordOf(parts, agent, execution, state);
  await parts.objects.put(recordKey(agent.id), JSON.stringify(record));
  return record;
}

/** `destroyed`, or why not: a machine that cannot be destroyed must not hide that the agent has ended. */
async function destroy(parts: ServerParts, machine: string): Promise<string> {
  try {
    await parts.machines.destroy(machine);
    return 'destroyed';
  } catch (error) {
    return `not destroyed: ${error instanceof Error ? error.message : String(error)}`;
  }
}

/** The phase event that the workflow could not publish: without it, viewers would wait for more. */
async function tellLog(parts: ServerParts, agent: AgentAddress, execution: Execution): Promise<void> {
  const seq = (await parts.events.lastSeq(agent.id, 'workflow')) + 1;
  const at = (execution.closedAt ?? new Date()).toISOString();
  const event = { type: 'phase', phase: execution.phase, reason: 'no worker ended it' } as const;
  await parts.events.append(agent.id, 'workflow', [{ seq, at, event }]);
}

async function recordOf(
  parts: ServerParts,
  agent: AgentAddress,
  execution: Execution,
  machineState: string,
): Promise<AgentRecord> {
  const { stale: _stale, ...status } = await listedStatus(parts, agent, execution);
  const { machine = 'unknown', spawn_id: spawnId = '' } = execution.memo;
  return {
    status: {
      ...status,
      reason: 'it was ended without a worker: there is no last snapshot',
      vm: {
        name: machine,
        provider: 'local',
        isolation: 'unknown',
        state: machineState === 'destroyed' ? 'gone' : 'running',
      },
    },
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
