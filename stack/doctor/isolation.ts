// Checks the isolation of agents on this host, and their limits.
import { join } from 'node:path';
import type { Config, IsolationChoice } from '../../config/config.ts';
import { HOST_SETTINGS_FILE } from '../../config/host-keys.ts';
import { detectIsolation } from '../../runner/isolation/detect.ts';
import type { LimitsInForce } from '../../contract/wire/isolation.ts';
import type { Check } from './check.ts';

/**
 * The isolation in force; for the weaker kind, also the reason. With the settings of the host, also the limits of each
 * agent. A running stack uses the values with which it was started.
 */
export async function isolationChecks(
  choice: IsolationChoice,
  settings?: Pick<Config, 'home' | 'host'>,
): Promise<readonly Check[]> {
  const name = 'isolation';
  try {
    const { description, limitsInForce, reason } = await detectIsolation(choice);
    const limits = settings === undefined ? [] : [limitsCheck(settings, limitsInForce)];
    if (reason === undefined) return [{ name, state: 'ok', message: description }, ...limits];
    const fix = 'allow user namespaces on this host, or run only agents that you trust with your account';
    const message = `${description} (namespaces do not work here: ${reason})`;
    return [{ name, state: 'warning', message, fix }, ...limits];
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    return [{ name, state: 'problem', message, fix: 'unset MURMUR_ISOLATION' }];
  }
}

const PROCESSES: Readonly<Record<Exclude<LimitsInForce['processes'], 'none'>, string>> = {
  cgroup: 'in total, by a cgroup',
  user: 'in total, by their user',
  program: 'per program, with its child processes',
};
const MEMORY: Readonly<Record<LimitsInForce['memory'], string>> = {
  cgroup: 'in total, by a cgroup',
  process: 'per process',
};

function limitsCheck({ home, host }: Pick<Config, 'home' | 'host'>, inForce: LimitsInForce | undefined): Check {
  const { limits, show } = host;
  const means: Readonly<Record<string, string | undefined>> = {
    processes: inForce === undefined || inForce.processes === 'none' ? undefined : PROCESSES[inForce.processes],
    memory_mb: inForce && MEMORY[inForce.memory],
    shm_mb: inForce && '',
  };
  const isInForce = (name: string): boolean => !Object.hasOwn(means, name) || means[name] !== undefined;
  const values = Object.entries(limits)
    .filter(([name]) => isInForce(name))
    .map(([name, value]) => `${name} ${String(value)}${means[name] ? ` (${means[name]})` : ''}`);
  const idle = Object.keys(limits).filter((name) => !isInForce(name));
  const without = idle.length === 0 ? '' : `; not in force on this host: ${idle.join(', ')}`;
  const shown = show.length === 0 ? '' : `; shown read-only: ${show.join(', ')}`;
  const message = `each agent, sizes in MiB: ${values.join(', ')}${without}${shown} (set in ${join(home.root, HOST_SETTINGS_FILE)})`;
  return { name: 'limits', state: 'ok', message };
}
