// The end of an agent: its work is kept, its machine and its secrets go, its record is written.
import { setTimeout as delay } from 'node:timers/promises';
import type { EndAgentInput, EndAgentResult } from '../contract/wire/activities.ts';
import type { AgentRecord, AgentSpec } from '../contract/wire/agent.ts';
import { MurmurError } from '../contract/wire/errors.ts';
import { workflowIdOf } from '../contract/wire/identity.ts';
import { recordKey } from '../contract/wire/object-keys.ts';
import type { RunnerLast } from '../contract/wire/runner.ts';
import { machineName, secretsRef, tokenId } from '../agents/names.ts';
import { notSealed } from '../agents/references.ts';
import type { Machine, MachineProvider } from '../drivers/machines/provider.ts';
import { readRunnerText } from '../drivers/machines/runner-process.ts';
import { callingWorkflow } from './admission.ts';
import type { Admission } from './admission.ts';
import { attentively } from './attention.ts';
import { describeOwn, providerOf } from './machine.ts';
import type { AgentPorts } from './ports.ts';
import { publishOffered } from '../agents/log.ts';
import { latestSnapshot, storeSnapshot } from '../agents/snapshots.ts';

/** How long the last snapshot may take, to be captured and to be stored: what was saved after the last turn is kept anyway. */
const LAST_SNAPSHOT_MS = 20_000;

/** What the end of an agent works with. */
interface EndContext {
  readonly ports: AgentPorts;
  readonly admission: Admission;
}

/** `endAgent`. */
export function endAgent(context: EndContext, input: EndAgentInput): Promise<EndAgentResult> {
  return attentively(context.ports.handover, () => endOneAgent(context, callingWorkflow(), input));
}

/**
 * Idempotent. A step that only keeps something is skipped when it fails; the machine must go. Also for an agent whose spec
 * is not sealed, so that one that was forged can be ended: everything that is touched is the agent's own, by its workflow's
 * id and its spawn id, and a record that is there stays. Throws PERMISSION_DENIED for the spec of another agent.
 */
export async function endOneAgent(
  { ports, admission }: EndContext,
  agent: string,
  { spec: given, record, events }: EndAgentInput,
): Promise<EndAgentResult> {
  const spec = ownSpec(agent, given);
  // First of all: whoever still runs on the machine must not act for an agent that is gone.
  await ports.tokenStore.delete(tokenId(agent, spec.spawn_id));
  const isSealed = await admission.isSealed(agent, given);
  const provider = providerOf(ports, spec);
  const { state } = await describeOwn(provider, spec);
  if (state === 'running') await leaveMachine(ports, provider, spec);
  await provider.destroy(spec.machine.name);
  await ports.secrets.delete(secretsRef(agent, spec.spawn_id));
  const snapshot = (await latestSnapshot(ports.objects, spec))?.key;
  const ended = endedRecord(record, snapshot);
  if (isSealed || (await ports.objects.get(recordKey(agent))) === undefined) {
    await ports.objects.put(recordKey(agent), JSON.stringify(ended));
  }
  admission.forget(agent);
  // Last of all: whoever waits for the end finds it done.
  await publishOffered(ports, agent, events);
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
async function leaveMachine(ports: AgentPorts, provider: MachineProvider, spec: AgentSpec): Promise<void> {
  const { name } = spec.machine;
  const agent = workflowIdOf(spec.identity);
  try {
    await using machine = await provider.connect(name);
    const runner = await ports.runners.find(machine);
    const after = await ports.events.lastSeq(agent, 'runner');
    const stored = await latestSnapshot(ports.objects, spec);
    const seq = stored === undefined ? {} : { stored_seq: stored.seq };
    await runner?.stop({ status: 'interrupted', last: { after, snapshot_ms: LAST_SNAPSHOT_MS, ...seq } });
    const last = await readLast(machine);
    if (last === undefined) return;
    if (last.events.length > 0) await ports.events.append(agent, 'runner', last.events);
    if (last.problem !== undefined) ports.report('last snapshot failed', { agent, error: last.problem });
    if (last.snapshot === undefined) return;
    await within(LAST_SNAPSHOT_MS, storeSnapshot(ports.objects, spec, machine, last.snapshot));
  } catch (error) {
    ports.report('agent was not ended in good order', { agent, machine: name, error: String(error) });
  }
}

/** What a runner that has stopped has left; undefined for one that was not asked, or was killed. */
async function readLast(machine: Machine): Promise<RunnerLast | undefined> {
  const text = await readRunnerText(machine, 'last.json');
  return text === '' ? undefined : (JSON.parse(text) as RunnerLast);
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
