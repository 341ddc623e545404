// The end of an agent. `endInOrder` has the only order of clean-up. Its callers: the agent's own workflow, the kill of
// an ancestor, the API server without a worker, the sweep, and a fan-out that never started the agent.
import { setTimeout as delay } from 'node:timers/promises';
import type { EndAgentInput, EndAgentResult } from '../contract/wire/activities.ts';
import type { AgentRecord, AgentSpec, OfAgent, ReceiptLine } from '../contract/wire/agent.ts';
import { defined } from '../contract/wire/defined.ts';
import { MurmurError } from '../contract/wire/errors.ts';
import { parseWorkflowId, workflowIdOf } from '../contract/wire/identity.ts';
import { recordKey } from '../contract/wire/object-keys.ts';
import type { StopReport } from '../contract/wire/runner.ts';
import { providerNamed } from '../drivers/machines/configured.ts';
import type { Machine, MachineProvider } from '../drivers/machines/provider.ts';
import { readRunnerText } from '../drivers/machines/runner-process.ts';
import type { Drivers } from '../drivers/platform.ts';
import { lookUntil, publishOffered } from './log.ts';
import { describeMachineOf } from './machine.ts';
import { machineName, secretsRef, tokenId } from './names.ts';
import type { AgentAddress } from './names.ts';
import type { AgentPlatform, Report, Runners } from './platform.ts';
import { readRecord, withWholeSpec } from './record.ts';
import { notSealed } from './references.ts';
import { latestSnapshot, storeSnapshot } from './snapshots.ts';

/** Limit for capturing, and for storing, the final snapshot. The snapshot of the last turn exists anyway. */
const FINAL_SNAPSHOT_MS = 20_000;

/** What differs between ends. Each step is idempotent. */
export interface EndSteps {
  /** Ends the flight of a pilot that could not end it itself. */
  readonly endFlight?: () => Promise<void>;
  /** Ends the machine and returns its final state. An error stops the clean-up; the end is then retried. */
  readonly endMachine: () => Promise<string>;
  /** The record to write, to which the sealed spec is added. Undefined keeps an existing record. */
  readonly record: (machineState: string) => Promise<AgentRecord | undefined>;
  /** Publishes events that the log may not have, including the end. */
  readonly publish: () => Promise<void>;
}

/**
 * Cleans up after an agent: token, flight, machine, secrets, record, events. Idempotent. An agent that was started past
 * the API has no spawn id, so its token and secrets cannot be found.
 */
export async function endInOrder(
  stores: Pick<Drivers, 'objects' | 'secrets' | 'tokenStore' | 'key'>,
  ended: { readonly agent: string; readonly spawnId: string | undefined },
  { endFlight, endMachine, record: recordOf, publish }: EndSteps,
): Promise<void> {
  const { objects, secrets, tokenStore } = stores;
  const { agent, spawnId } = ended;
  // The token first: what still runs on the machine must not act for an agent that has ended.
  if (spawnId !== undefined) await tokenStore.delete(tokenId(agent, spawnId));
  await endFlight?.();
  const machineState = await endMachine();
  // After the machine, because a retried end may need the secrets for it.
  if (spawnId !== undefined) await secrets.delete(secretsRef(agent, spawnId));
  const record = await recordOf(machineState);
  if (record !== undefined) {
    await objects.put(recordKey(agent), JSON.stringify(await withWholeSpec(stores, ended, record)));
  }
  // Last: callers that wait for the end find everything cleaned up.
  await publish();
}

/** What `endAgent` works with. */
export type EndPorts = Drivers & { readonly runners: Pick<Runners, 'find'>; readonly report: Report };

/**
 * Ends an agent whose workflow requests it or has ended. Fails only if the machine cannot be destroyed; a failure to
 * save the last state is reported. It also ends agents with an unsealed spec, such as forged ones: it touches only what
 * belongs to this workflow id and spawn id, and does not replace their record. Throws PERMISSION_DENIED for the spec of
 * another agent.
 * @param confirm called right before the machine is destroyed; what it throws ends the end
 */
export async function endAgent(
  ports: EndPorts,
  agent: string,
  { record, events, ...given }: EndAgentInput,
  isSealed: () => Promise<boolean>,
  confirm?: () => Promise<void>,
): Promise<EndAgentResult> {
  const spec = ownParts(agent, given);
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
      await confirm?.();
      await provider.destroy(spec.machine.name);
      return 'destroyed';
    },
    record: async () => {
      snapshot = (await latestSnapshot(ports.objects, spec))?.key;
      const mayReplace = (await isSealed()) || (await readRecord(ports, agent)) === undefined;
      return mayReplace ? endedRecord(record, snapshot) : undefined;
    },
    publish: async () => await publishOffered(ports, agent, events),
  });
  return { machine_state: 'destroyed', ...(snapshot === undefined ? {} : { snapshot }) };
}

/** What an end needs of a spec. */
interface EndedSpec extends Pick<AgentSpec, 'identity' | 'spawn_id'> {
  readonly machine: { readonly provider?: string; readonly name: string };
}

/** These parts, with the machine that is the agent's own, whatever its history says. */
function ownParts(agent: string, { session, spec }: OfAgent): EndedSpec {
  const identity = session === undefined ? spec?.identity : parseWorkflowId(session.agent);
  if (identity === undefined || workflowIdOf(identity) !== agent) {
    throw notSealed(agent, 'it is the spec of another agent');
  }
  const { spawn_id = '' } = session ?? { ...spec };
  const { provider } = session ?? { ...spec?.machine };
  return { identity, spawn_id, machine: { ...defined({ provider }), name: machineName(agent, spawn_id) } };
}

/**
 * Stops the runner cleanly and stores its last events and final snapshot. If no runner answers, nothing is stored,
 * unless an earlier attempt has stopped it.
 */
async function leaveMachine(ports: EndPorts, provider: MachineProvider, spec: EndedSpec): Promise<void> {
  const { name } = spec.machine;
  const agent = workflowIdOf(spec.identity);
  const reportDisorder = (error: unknown): void =>
    ports.report('agent was not ended in good order', { agent, machine: name, error: String(error) });
  try {
    await using machine = await provider.connect(name);
    const runner = await ports.runners.find(machine);
    const after = await ports.events.lastSeq(agent, 'runner');
    const stored = await latestSnapshot(ports.objects, spec);
    const seq = stored === undefined ? {} : { stored_seq: stored.seq };
    const stop = runner?.stop({ status: 'interrupted', last: { after, snapshot_ms: FINAL_SNAPSHOT_MS, ...seq } });
    // An earlier attempt may have stopped it, and its report tells the rest.
    await stop?.catch((error: unknown) => {
      if (!(error instanceof MurmurError) || error.code !== 'UNAVAILABLE') throw error;
      reportDisorder(error);
    });
    const last = await readStopReport(machine);
    if (last === undefined) return;
    if (last.events.length > 0) await ports.events.append(agent, 'runner', last.events);
    if (last.problem !== undefined) ports.report('last snapshot failed', { agent, error: last.problem });
    if (last.snapshot === undefined) return;
    await within(FINAL_SNAPSHOT_MS, storeSnapshot(ports.objects, spec, machine, last.snapshot));
  } catch (error) {
    reportDisorder(error);
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
  const patience = AbortSignal.any([signal, AbortSignal.timeout(platform.timing.killUnanswered)]);
  // Its last event is logged after the record.
  return await lookUntil(platform, agent.id, patience, async () => await readRecord(platform, agent.id));
}
