// Holding the processes of an agent apart from the host and from other agents. Runs in the runner's bundle as well:
// built-ins and contract/wire only.
import type { ChildProcessWithoutNullStreams } from 'node:child_process';
import type { MachineLimits } from '../../contract/wire/machine-limits.ts';
import type { PortHolder } from '../../contract/wire/runner.ts';
import { createNamespaceIsolation } from './namespace.ts';
import { createTrackingIsolation } from './tracking.ts';

/** Starts a process inside the machine's isolation, with exactly this environment. */
export type SpawnContained = (
  command: string,
  args: readonly string[],
  options: { readonly cwd: string; readonly env: Readonly<Record<string, string>> },
) => ChildProcessWithoutNullStreams;

/** `namespace`: Linux namespaces. `tracking`: no wall, but every process is found again and ended. */
export type IsolationKind = 'namespace' | 'tracking';

/** By what the limits of a machine hold. */
export interface LimitsInForce {
  /** `program`: for each program with all that it starts, of which the agent is one. */
  readonly processes: 'cgroup' | 'user' | 'program' | 'none';
  /** `process`: for each process by itself. */
  readonly memory: 'cgroup' | 'process';
}

/** Plain data: written into the runner's configuration by the provider, read by the runner. Paths are absolute and real. */
export interface IsolationSpec {
  readonly kind: IsolationKind;
  /** Name of the machine, in every process's MURMUR_MACHINE. */
  readonly machine: string;
  readonly paths: {
    /** The agent's own; visible inside at the same paths. */
    readonly home: string;
    readonly work: string;
    /** The caller's, which the agent can pass through and not change. */
    readonly run: string;
    /** For files of the isolation itself, such as the machine's /tmp. Made when missing. */
    readonly isolation: string;
  };
  /** User and group of the agent, when the caller is root. */
  readonly uid?: number;
  /** Folders that the agent must not see: MURMUR_HOME. What is needed and shown below them stays visible. */
  readonly hide: readonly string[];
  /** Paths that stay visible although they lie in a folder that the agent cannot enter: programs. */
  readonly keep: readonly string[];
  /** More that stays visible, read-only, below a hidden folder: what a person has named. */
  readonly show?: readonly string[];
  /** What the agent may take; the defaults when absent. */
  readonly limits?: MachineLimits;
  /** For people; absent with tracking, which bounds only the disk, and on machines of earlier builds. */
  readonly limitsInForce?: LimitsInForce;
}

/** A machine's isolation. Any number may exist for one machine, one after the other or at once. */
export interface Isolation {
  /** How processes are held apart, for people. */
  readonly isolation: string;
  /** Whom the agent's processes run as, when that is not the caller. */
  readonly user: { readonly uid: number; readonly gid: number } | undefined;
  /**
   * Starts a program inside, with exactly this environment and MURMUR_MACHINE. When it ends, so does everything that it
   * started and left in its namespace or process group; the same when this process dies, however it dies. Signals sent
   * through the child reach the program; SIGKILL ends all of it. `pid` is the id of what holds the program.
   */
  readonly spawn: SpawnContained;
  /**
   * Ends what was started inside at or after a time and still runs, except these processes, the programs that they hold
   * and those marked as companions. Throws UNAVAILABLE when a process does not end within 10 s.
   */
  endStartedSince(since: Date, keep: readonly number[]): Promise<void>;
  /** Whether nothing that was started through this object can outlive `endStarted`, whatever it does. */
  readonly isWhole: boolean;
  /** Ends every process inside that was started through this object. Throws UNAVAILABLE as above. */
  endStarted(): Promise<void>;
  /** Ends every process inside, also what an earlier caller left. Throws UNAVAILABLE as above. */
  endAll(): Promise<void>;
  /**
   * Whether a connection to the port of 127.0.0.1 reaches a process inside, by the user of the socket where the agent has
   * one of its own, else by who has it open. Throws FAILED_PRECONDITION where the system cannot tell.
   */
  portHolder(port: number): Promise<PortHolder>;
}

/** Throws FAILED_PRECONDITION when the kind cannot work with these settings; `detectIsolation` tells beforehand. */
export function createIsolation(spec: IsolationSpec): Isolation {
  return spec.kind === 'namespace' ? createNamespaceIsolation(spec) : createTrackingIsolation(spec);
}
