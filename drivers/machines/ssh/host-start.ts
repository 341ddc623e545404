// What the program on a host is told first, from the configuration of this one.
import type { HostSettings } from '../../../config/host-settings.ts';
import type { HostStart } from './host-call.ts';

/** Limits that hold on a machine, and what its agents see. */
export function hostStartOf({ limits, show }: Pick<HostSettings, 'limits' | 'show'>): HostStart {
  const { processes, memory_mb, shm_mb, disk_mb } = limits;
  return { limits: { processes, memory_mb, shm_mb, disk_mb }, show };
}
