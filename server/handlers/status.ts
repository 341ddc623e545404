// The state of one agent.
import type { MachineLimits } from '../../contract/wire/machine-limits.ts';
import { isTerminal } from '../../contract/wire/phases.ts';
import type { RunnerConfig } from '../../contract/wire/runner.ts';
import type { IsolationSpec } from '../../runner/isolation/isolation.ts';
import { readRunnerText } from '../../drivers/machines/runner-process.ts';
import { addressOf } from '../agents/address.ts';
import { readStatus } from '../agents/status.ts';
import type { ServerParts } from '../parts.ts';
import type { Handler } from './handler.ts';

/** The part of a machine's isolation that says what it may take. */
interface MachineSettings extends Pick<IsolationSpec, 'kind' | 'limitsInForce'> {
  readonly limits: Partial<MachineLimits>;
}

export const status: Handler<'status'> = async (parts, input, call) => {
  const state = await readStatus(parts, addressOf(parts, call, input), input.timeline, input.children);
  const { open } = parts.settings.temporal;
  const known = { ...state, ...(open === undefined ? {} : { temporal_open: open }) };
  if (isTerminal(state.phase)) return known;
  const { uploads_mb, messages_per_second, queued_mb } = parts.settings.agentLimits;
  const machine = state.vm === undefined ? {} : await machineLimits(parts, state.vm.name);
  return { ...known, limits: { ...machine, uploads_mb, messages_per_second, queued_mb } };
};

/** What is in force of the limits that the machine was made with; nothing when it has none or is out of reach. */
async function machineLimits({ machines }: ServerParts, name: string): Promise<Partial<MachineLimits>> {
  try {
    const text = await readRunnerText(await machines.connect(name), 'config.json');
    const { isolation } = JSON.parse(text === '' ? '{}' : text) as Partial<RunnerConfig>;
    const { kind, limits = {}, limitsInForce } = (isolation ?? {}) as Partial<MachineSettings>;
    const { processes, memory_mb, shm_mb, disk_mb } = limits;
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
