// The limits of an agent's machine. Loaded by the workflow sandbox: types and constants only.

/** Whole numbers. */
export interface MachineLimits {
  /** Processes and threads at once. */
  readonly processes: number;
  /** Memory in MiB: of all processes together if the host has cgroups, else of each process. */
  readonly memory_mb: number;
  /** Size of its own /dev/shm, in MiB. */
  readonly shm_mb: number;
  /** Disk space of its folders, in MiB. */
  readonly disk_mb: number;
}

/** With these, a laptop with 16 GB survives several agents that use as much as they can. */
export const DEFAULT_MACHINE_LIMITS: MachineLimits = { processes: 512, memory_mb: 4096, shm_mb: 256, disk_mb: 20_480 };
