// What is in force of the limits that machines were made with: read from the machine, remembered for a while.
import { LRUCache } from 'lru-cache';
import type { MachineView } from '../contract/wire/agent.ts';
import type { IsolationInForce } from '../contract/wire/isolation.ts';
import type { MachineLimits } from '../contract/wire/machine-limits.ts';
import type { RunnerConfig } from '../contract/wire/runner.ts';
import { providerNamed, type Machines } from '../drivers/machines/configured.ts';
import { readRunnerText } from '../drivers/machines/runner-process.ts';

/** Reads the limits of machines; see `createMachineLimitsReader`. */
export interface MachineLimitsReader {
  /** The limits in force; nothing when the machine has none or is out of reach. Never throws. */
  read(machine: Pick<MachineView, 'name' | 'provider'>): Promise<Partial<MachineLimits>>;
}

/** Machines whose limits are remembered: more than one server's agents that people look at in the same minute. */
const REMEMBERED = 1_000;

/** Limits change only when a runner starts anew. Reading takes about a sixth of a `status`, so it is done this seldom. */
const FRESH_MS = 10_000;

/** A reader that asks each machine at most every ten seconds. An answer without limits is not remembered. */
export function createMachineLimitsReader(machines: Machines): MachineLimitsReader {
  const known = new LRUCache<string, Partial<MachineLimits>, Pick<MachineView, 'name' | 'provider'>>({
    max: REMEMBERED,
    ttl: FRESH_MS,
    fetchMethod: async (_key, _stale, { context }) => {
      const limits = await readLimits(machines, context);
      // Nothing is remembered of a machine that could not be asked.
      return Object.keys(limits).length === 0 ? undefined : limits;
    },
  });
  return {
    read: async (machine) => (await known.fetch(`${machine.provider} ${machine.name}`, { context: machine })) ?? {},
  };
}

async function readLimits(
  machines: Machines,
  { name, provider }: Pick<MachineView, 'name' | 'provider'>,
): Promise<Partial<MachineLimits>> {
  try {
    await using machine = await providerNamed(machines, provider).connect(name);
    const read = async <Value>(file: string): Promise<Partial<Value>> => {
      const text = await readRunnerText(machine, file);
      return JSON.parse(text === '' ? '{}' : text) as Partial<Value>;
    };
    const { isolation } = await read<RunnerConfig>('config.json');
    if (isolation === undefined) return {};
    // A runner that got an isolation request writes down what it chose.
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
