// The end of an agent: its work is kept, its machine and its secrets go, its record is written.
import type { EndAgentInput, EndAgentResult } from '../contract/wire/activities.ts';
import type { AgentRecord } from '../contract/wire/agent.ts';
import { workflowIdOf } from '../contract/wire/identity.ts';
import { recordKey } from '../contract/wire/object-keys.ts';
import type { Machine, MachineProvider } from '../drivers/machines/provider.ts';
import type { RunnerClient } from '../drivers/machines/runner-client.ts';
import { attentively } from './attention.ts';
import { providerOf } from './machine.ts';
import type { AgentPorts } from './ports.ts';
import { pumpEvents } from './pump.ts';
import { publishOffered } from './publish-offered.ts';
import { latestSnapshot, storeSnapshot } from './snapshots.ts';

/** How long the last events may take to the log once the runner has stopped: they are on their way already. */
const LAST_EVENTS_MS = 2_000;
/** How long the last snapshot may take: what was saved after the last turn is kept anyway. */
const LAST_SNAPSHOT_MS = 20_000;

/** `endAgent`: idempotent. A step that only keeps something is skipped when it fails; the machine must go. */
export function endAgent(ports: AgentPorts, input: EndAgentInput): Promise<EndAgentResult> {
  return attentively(ports.handover, async () => {
    const { spec, record, events } = input;
    // First of all: whoever still runs on the machine must not act for an agent that is gone.
    if (spec.token_id !== undefined) await ports.tokens.delete(spec.token_id);
    const provider = providerOf(ports, spec);
    await leaveMachine(ports, provider, input);
    await provider.destroy(spec.machine.name);
    if (spec.secrets !== undefined) await ports.secrets.delete(spec.secrets.ref);
    const snapshot = await latestSnapshot(ports.objects, spec);
    const ended = endedRecord(record, snapshot);
    await ports.objects.put(recordKey(workflowIdOf(spec.identity)), JSON.stringify(ended));
    // Last of all: whoever waits for the end finds it done.
    await publishOffered(ports, workflowIdOf(spec.identity), events);
    return { machine_state: 'destroyed', ...(snapshot === undefined ? {} : { snapshot }) };
  });
}

/** Stops the runner in good order, with a last snapshot and its last events; a machine that does not answer is left. */
async function leaveMachine(ports: AgentPorts, provider: MachineProvider, input: EndAgentInput): Promise<void> {
  const { name } = input.spec.machine;
  const agent = workflowIdOf(input.spec.identity);
  try {
    if ((await provider.describe(name)).state !== 'running') return;
    const machine = await provider.connect(name);
    const runner = await ports.runners.find(machine);
    if (runner === undefined) return;
    const closing = new AbortController();
    const after = await ports.events.lastSeq(agent, 'runner');
    const events = pumpEvents({ runner, events: ports.events, agent }, after, closing.signal, () => false).catch(
      () => undefined,
    );
    try {
      if (input.turn_id !== undefined) await runner.interrupt({ turn_id: input.turn_id });
      await within(LAST_SNAPSHOT_MS, saveLast(ports, input, machine, runner));
      await runner.stop({ status: 'interrupted' });
      await within(LAST_EVENTS_MS, events);
    } finally {
      closing.abort();
      await events;
    }
  } catch (error) {
    ports.report('agent was not ended in good order', { agent, machine: name, error: String(error) });
  }
}

async function saveLast(
  ports: AgentPorts,
  { spec }: EndAgentInput,
  machine: Machine,
  runner: RunnerClient,
): Promise<void> {
  try {
    await storeSnapshot(ports.objects, spec, machine, await runner.snapshot());
  } catch (error) {
    ports.report('last snapshot failed', { agent: workflowIdOf(spec.identity), error: String(error) });
  }
}

async function within(limitMs: number, work: Promise<unknown>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const limit = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, limitMs);
  });
  try {
    await Promise.race([work, limit]);
  } finally {
    clearTimeout(timer);
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
