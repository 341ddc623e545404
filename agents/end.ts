// The end of an agent. `endInOrder` has the only order of clean-up. Its callers: the agent's own workflow, the kill of
// an ancestor, the API server without a worker, the sweep, and a fan-out that never started the agent.
import { setTimeout as delay } from 'node:timers/promises';
import type { EndAgentInput, EndAgentResult } from '../contract/wire/activities.ts';
import type { AgentRecord, AgentSpec, PendingCleanup, ReceiptLine } from '../contract/wire/agent.ts';
import { MurmurError } from '../contract/wire/errors.ts';
import { workflowIdOf } from '../contract/wire/identity.ts';
import { recordKey } from '../contract/wire/object-keys.ts';
import type { StopReport } from '../contract/wire/runner.ts';
import { DEFAULT_PROVIDER, providerNamed } from '../drivers/machines/configured.ts';
import type { Machine, MachineProvider } from '../drivers/machines/provider.ts';
import { readRunnerText } from '../drivers/machines/runner-process.ts';
import type { Drivers } from '../drivers/platform.ts';
import type { Execution } from './find.ts';
import { terminateFlight } from './flights.ts';
import { followLog, publishOffered } from './log.ts';
import { describeMachineOf } from './machine.ts';
import { machineName, secretsRef, tokenId } from './names.ts';
import type { AgentAddress } from './names.ts';
import type { AgentPlatform, Report, Runners } from './platform.ts';
import { readRecord, withWholeSpec } from './record.ts';
import { notSealed } from './references.ts';
import { latestSnapshot, storeSnapshot } from './snapshots.ts';
import { listedStatus } from './status.ts';

/** Limit for capturing, and for storing, the final snapshot. The snapshot of the last turn exists anyway. */
const FINAL_SNAPSHOT_MS = 20_000;

/** What differs between ends. Each step is idempotent. */
export interface EndSteps {
  /** Ends the agent's flight, if the agent could not do so. */
  readonly endFlight?: () => Promise<void>;
  /** Ends the machine and returns its state. An error aborts the clean-up, which is then retried. */
  readonly endMachine: () => Promise<string>;
  /** The record to write; undefined keeps an existing one. */
  readonly record: (machineState: string) => Promise<AgentRecord | undefined>;
  /** Publishes events that the log may not have, including the end. */
  readonly publish: () => Promise<void>;
}

/**
 * Cleans up after an agent: token, flight, machine, secrets, record, events. Idempotent. An agent that was not started
 * by the API has no spawn id, so its token and secrets cannot be found.
 */
export async function endInOrder(
  { objects, secrets, tokenStore }: Pick<Drivers, 'objects' | 'secrets' | 'tokenStore'>,
  { agent, spawnId }: { readonly agent: string; readonly spawnId: string | undefined },
  { endFlight, endMachine, record: recordOf, publish }: EndSteps,
): Promise<void> {
  // First, so that processes left on the machine cannot act for an ended agent.
  if (spawnId !== undefined) await tokenStore.delete(tokenId(agent, spawnId));
  await endFlight?.();
  const machineState = await endMachine();
  // After the machine, because a retry may need the secrets to end it.
  if (spawnId !== undefined) await secrets.delete(secretsRef(agent, spawnId));
  const record = await recordOf(machineState);
  if (record !== undefined) await objects.put(recordKey(agent), JSON.stringify(record));
  // Last, so that callers that wait for the end find everything cleaned up.
  await publish();
}

/** What `endAgent` works with. */
export type EndPorts = Drivers & { readonly runners: Pick<Runners, 'find'>; readonly report: Report };

/**
 * Ends an agent whose workflow requests it or has ended. Fails only if the machine cannot be destroyed; a failure to
 * save the last state is reported. It also ends agents with an unsealed spec, such as forged ones: it touches only what
 * belongs to this workflow id and spawn id, and does not replace their record. Throws PERMISSION_DENIED for the spec of
 * another agent.
 */
export async function endAgent(
  ports: EndPorts,
  agent: string,
  { spec: given, record, events }: EndAgentInput,
  isSealed: () => Promise<boolean>,
): Promise<EndAgentResult> {
  const spec = ownSpec(agent, given);
  const ended = { agent, spawnId: spec.spawn_id };
  let snapshot: string | undefined;
  await endInOrder(ports, ended, {
    endMachine: async () => {
      const provider = providerNamed(ports.machines, spec.machine.provider);
      const { state } = await describeMachineOf(provider, spec.machine.name, {
        agentId: agent,
        spawnId: spec.spawn_id,
      });
      if (state === 'running') await stopAndStore(ports, provider, spec);
      await provider.destroy(spec.machine.name);
      return 'destroyed';
    },
    record: async () => {
      snapshot = (await latestSnapshot(ports.objects, spec))?.key;
      const mayReplace = (await isSealed()) || (await readRecord(ports, agent)) === undefined;
      return mayReplace ? await withWholeSpec(ports, ended, endedRecord(record, snapshot)) : undefined;
    },
    publish: async () => await publishOffered(ports, agent, events),
  });
  return { machine_state: 'destroyed', ...(snapshot === undefined ? {} : { snapshot }) };
}

/** The spec with the agent's own machine. The name in the history is not trusted. */
function ownSpec(agent: string, given: AgentSpec): AgentSpec {
  if (workflowIdOf(given.identity) !== agent) throw notSealed(agent, 'it is the spec of another agent');
  return { ...given, machine: { ...given.machine, name: machineName(agent, given.spawn_id) } };
}

/**
 * Stops the runner cleanly and stores its last events and final snapshot. If no runner answers, nothing is stored,
 * unless an earlier attempt has stopped it.
 */
async function stopAndStore(ports: EndPorts, provider: MachineProvider, spec: AgentSpec): Promise<void> {
  const { name } = spec.machine;
  const agent = workflowIdOf(spec.identity);
  try {
    await using machine = await provider.connect(name);
    const runner = await ports.runners.find(machine);
    const after = await ports.events.lastSeq(agent, 'runner');
    const stored = await latestSnapshot(ports.objects, spec);
    const seq = stored === undefined ? {} : { stored_seq: stored.seq };
    await runner?.stop({ status: 'interrupted', last: { after, snapshot_ms: FINAL_SNAPSHOT_MS, ...seq } });
    const last = await readStopReport(machine);
    if (last === undefined) return;
    if (last.events.length > 0) await ports.events.append(agent, 'runner', last.events);
    if (last.problem !== undefined) ports.report('last snapshot failed', { agent, error: last.problem });
    if (last.snapshot === undefined) return;
    await within(FINAL_SNAPSHOT_MS, storeSnapshot(ports.objects, spec, machine, last.snapshot));
  } catch (error) {
    ports.report('agent was not ended in good order', { agent, machine: name, error: String(error) });
  }
}

/** The report of a stopped runner; undefined if it was not asked for one or was killed. */
async function readStopReport(machine: Machine): Promise<StopReport | undefined> {
  const text = await readRunnerText(machine, 'last.json');
  return text === '' ? undefined : (JSON.parse(text) as StopReport);
}

async function within(limitMs: number, work: Promise<unknown>): Promise<void> {
  const done = new AbortController();
  const late = delay(limitMs, undefined, { signal: done.signal }).then(() => {
    throw new MurmurError('DEADLINE_EXCEEDED', `the last snapshot was not stored within ${limitMs.toString()} ms`);
  });
  try {
    await Promise.race([work, late]);
  } finally {
    done.abort();
  }
}

function endedRecord(record: AgentRecord, snapshot: string | undefined): AgentRecord {
  const { vm } = record.status;
  return {
    ...record,
    status: { ...record.status, ...(vm === undefined ? {} : { vm: { ...vm, state: 'gone' } }) },
    ...(snapshot === undefined ? {} : { snapshot }),
  };
}

/**
 * Ends an agent whose workflow has closed and that no worker has cleaned up. Returns its line of the receipt. Takes no
 * final snapshot.
 * @param left the pending clean-up from the workflow's result, if there is one
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
      const record = await withWholeSpec(platform, ended, unattendedRecord(known, execution, machineState, snapshot));
      line = { ...receiptOf(record), machine_state: machineState };
      return record;
    },
    publish: async () => await publishEnd(platform, agent, execution, left),
  });
  if (line === undefined) throw new TypeError('every end writes a record');
  return line;
}

/**
 * Destroys the agent's own machine, whatever the workflow's memo names. Returns `destroyed`, or why it was not: the
 * agent has ended even if its machine cannot be destroyed.
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

/** Publishes the events that the workflow could not, at least the end, for which viewers wait. */
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

/** The record with the machine's state. */
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
  const { spawn_id: spawnId = '' } = execution.memo;
  const { created_at } = status;
  const spec = { identity: agent.identity, spawn_id: spawnId, repos: [], session_id: '', created_at };
  return { status, tasks: [], spec: { ...spec, backend: 'claude' } };
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

/**
 * Waits for the record of an agent that was killed with its parent, which is written after the machine was destroyed.
 * Returns undefined after the time in which a dead worker is replaced, or when the signal aborts.
 */
export async function awaitRecord(
  platform: AgentPlatform,
  agent: AgentAddress,
  signal: AbortSignal,
): Promise<AgentRecord | undefined> {
  const deadline = AbortSignal.any([signal, AbortSignal.timeout(platform.timing.killUnanswered)]);
  const [newest] = await platform.events.tail(agent.id, 1);
  const record = await readRecord(platform, agent.id);
  if (record !== undefined) return record;
  // The last event is logged after the record is written.
  for await (const _entry of followLog(platform, agent.id, newest?.id ?? 0, deadline)) {
    const written = await readRecord(platform, agent.id);
    if (written !== undefined) return written;
  }
  return undefined;
}
