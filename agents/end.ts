// The end of an agent. `endInOrder` holds the only order of clean-up. Its callers: the agent's own workflow, the kill of an
// ancestor, the API server when no worker answers, the sweep, and a fan-out that never started the agent.
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

/** How long the last snapshot may take, to be captured and to be stored: what was saved after the last turn is kept anyway. */
const FINAL_SNAPSHOT_MS = 20_000;

/** What differs between ends. Each step is idempotent. */
export interface EndSteps {
  /** Of an agent that could not end the flight that it pilots. */
  readonly endFlight?: () => Promise<void>;
  /** Answers what has become of the machine. What it throws ends the end: it is to be tried again. */
  readonly endMachine: () => Promise<string>;
  /** The record to write; undefined leaves one that is there. */
  readonly record: (machineState: string) => Promise<AgentRecord | undefined>;
  /** Events that the log may not have, the end among them. */
  readonly publish: () => Promise<void>;
}

/**
 * Cleans up after an agent: token, flight, machine, secrets, record, events. Doing it again changes nothing. An agent that was
 * started past the API has no spawn id, and then neither token nor secrets can be found.
 */
export async function endInOrder(
  { objects, secrets, tokenStore }: Pick<Drivers, 'objects' | 'secrets' | 'tokenStore'>,
  { agent, spawnId }: { readonly agent: string; readonly spawnId: string | undefined },
  { endFlight, endMachine, record: recordOf, publish }: EndSteps,
): Promise<void> {
  // First of all: what still runs on the machine must not act for an agent that is gone.
  if (spawnId !== undefined) await tokenStore.delete(tokenId(agent, spawnId));
  await endFlight?.();
  const machineState = await endMachine();
  // An end that is tried again may need them for the machine.
  if (spawnId !== undefined) await secrets.delete(secretsRef(agent, spawnId));
  const record = await recordOf(machineState);
  if (record !== undefined) await objects.put(recordKey(agent), JSON.stringify(record));
  // Last: callers that wait for the end find everything cleaned up.
  await publish();
}

/** What the end of an agent in a worker needs. */
export type EndPorts = Drivers & { readonly runners: Pick<Runners, 'find'>; readonly report: Report };

/**
 * Ends an agent whose workflow asks for it, or has ended. A step that only keeps something is skipped when it fails; the machine
 * must go. Also for an agent whose spec is not sealed, so that one that was forged can be ended: everything that is touched is
 * the agent's own, by its workflow's id and its spawn id, and a record that is there stays. Throws PERMISSION_DENIED for the
 * spec of another agent.
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
      if (state === 'running') await leaveMachine(ports, provider, spec);
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

/** The spec with the machine that is the agent's own, whatever its history says. */
function ownSpec(agent: string, given: AgentSpec): AgentSpec {
  if (workflowIdOf(given.identity) !== agent) throw notSealed(agent, 'it is the spec of another agent');
  return { ...given, machine: { ...given.machine, name: machineName(agent, given.spawn_id) } };
}

/**
 * Stops the runner in good order and keeps its last events and snapshot. A machine that does not answer is left, unless an
 * earlier attempt has stopped its runner.
 */
async function leaveMachine(ports: EndPorts, provider: MachineProvider, spec: AgentSpec): Promise<void> {
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

/** What a runner that has stopped has left; undefined for one that was not asked, or was killed. */
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
 * Waits for the record of an agent that was killed with its parent; it is written once the machine is destroyed. Undefined if
 * it is still missing after the time in which a dead worker is replaced, or when the signal aborts.
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
