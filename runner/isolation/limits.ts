// Limits that a process takes along: set by the shell that becomes the program, after it has given up its rights.
import { release } from 'node:os';
import type { MachineLimits } from '../../contract/wire/machine-limits.ts';

/** Each takes a few hundred bytes of kernel memory. A large build has some thousands, and Node raises its own to this. */
const OPEN_FILES = 65_536;
/** Claude Code reserves 0.6 GiB and Node 0.3 GiB before they do anything, and the system counts what is reserved. */
const LEAST_DATA_MB = 2_048;
const KIB_PER_MIB = 1_024;
const PAGE_BYTES = 4_096;

export interface LimitContext {
  /** Whether the agent has a user id of its own. */
  readonly ownUser: boolean;
  /** Whether a cgroup bounds the memory of all its processes. */
  readonly hasMemoryCgroup: boolean;
}

/**
 * Shell lines for the shell that becomes the program, whose complaints go nowhere. A host's own limit that is lower stays.
 */
export function processLimitLines(
  limits: MachineLimits,
  { ownUser, hasMemoryCgroup }: LimitContext,
): readonly string[] {
  const { processes, memory_mb } = limits;
  const lines = [lineFor('-n', OPEN_FILES)];
  // bash says -u, dash -p, which is another limit in bash.
  if (countsOwnProcesses(ownUser)) {
    lines.push(`ulimit -u ${processes} || ulimit -p ${processes} || :`);
  }
  // Soft: address sanitizers and `go test -race` reserve terabytes that they never use, and have to be able to lift it.
  if (!hasMemoryCgroup) lines.push(lineFor('-S -d', Math.max(memory_mb, LEAST_DATA_MB) * KIB_PER_MIB));
  return lines;
}

/**
 * Whether the system counts only the agent's processes against its limit: those of its user id, or since Linux 5.14 those
 * of its user namespace. Before that it counts every process of the owner's, and their desktop alone has more.
 */
export function countsOwnProcesses(ownUser: boolean, kernel = release()): boolean {
  const [major = 0, minor = 0] = kernel.split('.').map(Number);
  return ownUser || major > 5 || (major === 5 && minor >= 14);
}

/** Shell lines for the first process of the namespaces, which has rights over them. */
export function namespaceLimitLines({ shm_mb }: MachineLimits): readonly string[] {
  // System V shared memory, which no limit of a process bounds. An older Linux lets only root set it.
  const pages = (shm_mb * KIB_PER_MIB * KIB_PER_MIB) / PAGE_BYTES;
  return [`{ echo ${pages} >/proc/sys/kernel/shmall; } 2>/dev/null || :`];
}

/** Mount options of a tmpfs that the agent can fill. */
export function tmpfsSize(megabytes: number): string {
  // A file takes a kilobyte beside its content: one for every page at most.
  return `size=${megabytes}m,nr_inodes=${(megabytes * KIB_PER_MIB * KIB_PER_MIB) / PAGE_BYTES}`;
}

function lineFor(option: string, value: number): string {
  return `ulimit ${option} ${value} || :`;
}
