// The limits of machines that are in force: read from the machine and cached for a while.
import { LRUCache } from 'lru-cache';
import type { MachineView } from '../contract/wire/agent.ts';
import type { IsolationInForce } from '../contract/wire/isolation.ts';
import type { MachineLimits } from '../contract/wire/machine-limits.ts';
import type { RunnerConfig } from '../contract/wire/runner.ts';
import { providerNamed, type Machines } from '../drivers/machines/configured.ts';
import { readRunnerText } from '../drivers/machines/runner-process.ts';

/** Reads the limits of machines; see `createMachineLimitsReader`. */
export interface MachineLimitsReader {
  /** The limits in force; empty without limits, or when the machine cannot be reached. Never throws. */
  read(machine: Pick<MachineView, 'name' | 'provider'>): Promise<Partial<MachineLimits>>;
}

/** Machines in the cache: more than the agents of a server that people view in the same minute. */
const REMEMBERED = 1_000;

/**
 * Limits change only when a runner restarts. Reading them connects to the machine, which may be on another host, and
 * reads two files.
 */
const FRESH_MS = 10_000;

/** A reader that queries each machine at most every ten seconds. Does not cache an answer without limits. */
export function createMachineLimitsReader(machines: Machines): MachineLimitsReader {
  const known = new LRUCache<string, Partial<MachineLimits>, Pick<MachineView, 'name' | 'provider'>>({
    max: REMEMBERED,
    ttl: FRESH_MS,
    fetchMethod: async (_key, _stale, { context }) => {
      const limits = await readLimits(machines, context);
      // Not cached: the machine may have been unreachable.
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
    // A runner with a choice of isolation reports what works.
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
    // The file may be incomplete, or the machine on another host. The rest of the state is still useful.
    return {};
  }
}
