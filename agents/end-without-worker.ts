// Ends an agent in the API server when no worker does, in the order of every end (end.ts).
import type { AgentRecord, PendingCleanup, ReceiptLine } from '../contract/wire/agent.ts';
import { MurmurError } from '../contract/wire/errors.ts';
import { agentRecord } from '../contract/wire/status.ts';
import { DEFAULT_PROVIDER, providerNamed } from '../drivers/machines/configured.ts';
import { endInOrder, receiptOf } from './end.ts';
import type { Execution } from './find.ts';
import { terminateFlight } from './flights.ts';
import { describeMachineOf } from './machine.ts';
import { claimMachine } from './machine-claim.ts';
import type { ClaimHolder } from './machine-claim.ts';
import { machineName } from './names.ts';
import type { AgentAddress } from './names.ts';
import type { AgentPlatform } from './platform.ts';
import { latestSnapshot } from './snapshots.ts';
import { listedStatus } from './status.ts';

/**
 * Ends an agent whose workflow has closed without a clean-up by a worker. Returns its line of the receipt. Takes no
 * final snapshot. Where the sweep or a person is ending the machine, record and log are left to that end.
 * @param by who ends it, for people
 * @param left the pending clean-up from the workflow's result, if there is one
 */
export async function endWithoutWorker(
  platform: AgentPlatform,
  agent: AgentAddress,
  execution: Execution,
  by: string,
  left?: PendingCleanup,
): Promise<ReceiptLine> {
  const { spawn_id: spawnId, provider } = execution.memo;
  const ended = { agent: agent.id, spawnId };
  let line: ReceiptLine | undefined;
  let other: ClaimHolder | undefined;
  await endInOrder(platform, ended, {
    endFlight: async () => await terminateFlight(platform, agent),
    endMachine: async () => {
      if (spawnId === undefined) return 'unknown';
      const end = await destroy(platform, { agent: agent.id, spawnId, provider, by });
      other = end.other;
      return end.state;
    },
    record: async (machineState) => {
      const known = left?.record ?? (await listedRecord(platform, agent, execution));
      const snapshot = (await latestSnapshot(platform.objects, agent))?.key;
      const record = unattendedRecord(known, execution, machineState, snapshot);
      line = { ...receiptOf(record), machine_state: machineState };
      return other === undefined ? record : undefined;
    },
    publish: async () => {
      if (other === undefined) await publishEnd(platform, agent, execution, left);
    },
  });
  if (line === undefined) throw new Error(`the end of ${agent.id} has written no record`);
  return line;
}

/**
 * Destroys the agent's own machine, whatever the workflow's memo names. Returns `destroyed`, or the reason why not: the
 * receipt must show the end of the agent even then.
 */
async function destroy(
  { machines }: AgentPlatform,
  { agent, spawnId, provider: providerName, by }: OwnMachine,
): Promise<{ readonly state: string; readonly other?: ClaimHolder }> {
  const name = machineName(agent, spawnId);
  try {
    const provider = providerNamed(machines, providerName);
    const machine = await describeMachineOf(provider, name, { agentId: agent, spawnId });
    const attempt = machine.state === 'absent' ? undefined : await claimMachine(provider, machine, by);
    if (attempt?.claim === undefined && attempt?.holder !== undefined) {
      const { holder } = attempt;
      return { state: `not destroyed: ${holder.by} is already ending it`, other: holder };
    }
    await using _claim = attempt?.claim;
    await provider.destroy(name);
    return { state: 'destroyed' };
  } catch (error) {
    const hint = error instanceof MurmurError && error.hint !== undefined ? `; ${error.hint}` : '';
    return { state: `not destroyed: ${error instanceof Error ? error.message : String(error)}${hint}` };
  }
}

/** The machine of an agent, and who ends it. */
interface OwnMachine {
  readonly agent: string;
  readonly spawnId: string;
  readonly provider: string | undefined;
  readonly by: string;
}

/** Publishes the events that the workflow could not publish, at least its end: viewers wait for that. */
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

/** The record with the final state of the machine. */
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
