// Builds the first message to the program on a host from this host's configuration.
import type { HostSettings } from '../../../config/host-settings.ts';
import type { HostStart } from './host-call.ts';

/** The limits of a machine, and the folders that its agents can see. */
export function hostStartOf({ limits, show }: Pick<HostSettings, 'limits' | 'show'>): HostStart {
  const { processes, memory_mb, shm_mb, disk_mb } = limits;
  return { limits: { processes, memory_mb, shm_mb, disk_mb }, show };
}
