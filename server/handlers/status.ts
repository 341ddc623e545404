// The state of one agent, and of the flight that it pilots.
import type { MachineView } from '../../contract/wire/agent.ts';
import type { MachineLimits } from '../../contract/wire/machine-limits.ts';
import { isTerminal } from '../../contract/wire/phases.ts';
import type { RunnerConfig } from '../../contract/wire/runner.ts';
import type { IsolationInForce } from '../../contract/wire/isolation.ts';
import { providerNamed } from '../../drivers/machines/configured.ts';
import { readRunnerText } from '../../drivers/machines/runner-process.ts';
import { addressOf } from '../address.ts';
import { readStatus } from '../../agents/status.ts';
import type { ServerParts } from '../parts.ts';
import type { Handler } from './handler.ts';
import { flightOf } from '../../agents/flights.ts';

export const status: Handler<'status'> = async (parts, input, call) => {
  const state = await readStatus(parts, addressOf(parts, call, input), input.timeline, input.children);
  const { open } = parts.settings.temporal;
  const known = { ...state, ...(open === undefined ? {} : { temporal_open: open }) };
  if (isTerminal(state.phase)) return known;
  const { uploads_mb, messages_per_second, queued_mb } = parts.settings.agentLimits;
  const machine = state.vm === undefined ? {} : await machineLimits(parts, state.vm);
  return { ...known, limits: { ...machine, uploads_mb, messages_per_second, queued_mb } };
};

/** What is in force of the limits that the machine was made with; nothing when it has none or is out of reach. */
async function machineLimits(
  { machines }: ServerParts,
  { name, provider }: MachineView,
): Promise<Partial<MachineLimits>> {
  try {
    await using machine = await providerNamed(machines, provider).connect(name);
    const read = async <Value>(file: string): Promise<Partial<Value>> => {
      const text = await readRunnerText(machine, file);
      return JSON.parse(text === '' ? '{}' : text) as Partial<Value>;
    };
    const { isolation } = await read<RunnerConfig>('config.json');
    if (isolation === undefined) return {};
    // A runner that was given wishes says itself what it found to work.
    const found: Partial<IsolationInForce> =
      'choice' in isolation ? await read<IsolationInForce>('isolation.json') : isolation;
    const { kind, limitsInForce } = found;
    const { processes, memory_mb, shm_mb, disk_mb }: Partial<MachineLimits> = isolation.limits ?? {};
    const bounded = kind === 'tracking' ? {} : { memory_mb, shm_mb };
    const counted = kind === 'tracking' || limitsInForce?.processes === 'none' ? {} : { processes };
    return Object.fromEntries(
      Object.entries({ ...counted, ...bounded, disk_mb }).filter(([, value]) => typeof value === 'number'),
    );
  } catch {
    // A file that is being written, or a machine that another host has: the rest of the state is worth showing.
    return {};
  }
}

export const flightStatus: Handler<'flight_status'> = async (parts, input, call) =>
  await flightOf(parts, addressOf(parts, call, input));
