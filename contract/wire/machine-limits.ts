// What one agent may take of its machine. Loaded by the workflow sandbox: types and constants only.

/** Limits of one agent's machine; whole numbers. */
export interface MachineLimits {
  /** Processes and threads at once. */
  readonly processes: number;
  /** Memory of all its processes together, in MiB, where the host has cgroups; else of each process. */
  readonly memory_mb: number;
  /** Size of its own /dev/shm, in MiB. */
  readonly shm_mb: number;
  /** Disk that its folders may hold, in MiB. */
  readonly disk_mb: number;
}

/** A laptop with 16 GB survives several agents that try to take all they can get. */
export const DEFAULT_MACHINE_LIMITS: MachineLimits = { processes: 512, memory_mb: 4096, shm_mb: 256, disk_mb: 20_480 };
