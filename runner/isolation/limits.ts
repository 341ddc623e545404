// Resource limits that processes inherit. The shell that becomes the program sets them, after it has dropped its
// rights.
import { release } from 'node:os';
import type { MachineLimits } from '../../contract/wire/machine-limits.ts';

/**
 * Each open file takes a few hundred bytes of kernel memory. A large build needs thousands; Node raises its limit to
 * this.
 */
const OPEN_FILES = 65_536;
/** The system counts reserved memory. Claude Code reserves 0.6 GiB and Node 0.3 GiB at their start. */
const LEAST_DATA_MB = 2_048;
const KIB_PER_MIB = 1_024;
const PAGE_BYTES = 4_096;

export interface LimitContext {
  /** Whether the agent has a user id of its own. */
  readonly ownUser: boolean;
  /** Whether a cgroup limits the memory of all the agent's processes together. */
  readonly hasMemoryCgroup: boolean;
}

/**
 * Lines for the shell that becomes the program. Their errors are discarded. Lower limits of the host stay in force.
 */
export function processLimitLines(
  limits: MachineLimits,
  { ownUser, hasMemoryCgroup }: LimitContext,
): readonly string[] {
  const { processes, memory_mb } = limits;
  const lines = [lineFor('-n', OPEN_FILES)];
  // The option is -u in bash and -p in dash; -p is another limit in bash, so -u comes first.
  if (countsOwnProcesses(ownUser)) {
    lines.push(`ulimit -u ${processes} || ulimit -p ${processes} || :`);
  }
  // A soft limit: address sanitizers and `go test -race` reserve terabytes without using them, and must be able to
  // raise it.
  if (!hasMemoryCgroup) lines.push(lineFor('-S -d', Math.max(memory_mb, LEAST_DATA_MB) * KIB_PER_MIB));
  return lines;
}

/**
 * Whether the system counts only the agent's processes against its limit: those of its user id, or since Linux 5.14
 * those of its user namespace. Older versions count every process of the owner, of which a desktop alone has more.
 */
export function countsOwnProcesses(ownUser: boolean, kernel = release()): boolean {
  const [major = 0, minor = 0] = kernel.split('.').map(Number);
  return ownUser || major > 5 || (major === 5 && minor >= 14);
}

/** Shell lines for the namespaces' first process, which may change their settings. */
export function namespaceLimitLines({ shm_mb }: MachineLimits): readonly string[] {
  // System V shared memory, which has no limit per process. Older versions of Linux let only root set it.
  const pages = (shm_mb * KIB_PER_MIB * KIB_PER_MIB) / PAGE_BYTES;
  return [`{ echo ${pages} >/proc/sys/kernel/shmall; } 2>/dev/null || :`];
}

/** Mount options of a tmpfs that the agent can fill. */
export function tmpfsSize(megabytes: number): string {
  // A file takes a kilobyte of memory besides its content. One file per page is the maximum.
  return `size=${megabytes}m,nr_inodes=${(megabytes * KIB_PER_MIB * KIB_PER_MIB) / PAGE_BYTES}`;
}

function lineFor(option: string, value: number): string {
  return `ulimit ${option} ${value} || :`;
}
