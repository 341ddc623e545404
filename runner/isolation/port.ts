// The port to isolation: separates an agent's processes from the host and from other agents.
import type { ChildProcessWithoutNullStreams } from 'node:child_process';
import type { PortHolder } from '../../contract/wire/runner.ts';

/** Starts a process inside the machine's isolation, with exactly this environment. */
export type SpawnContained = (
  command: string,
  args: readonly string[],
  options: { readonly cwd: string; readonly env: Readonly<Record<string, string>> },
) => ChildProcessWithoutNullStreams;

/** A machine's isolation. A machine may have several objects, one after the other or at the same time. */
export interface Isolation {
  /** The kind of isolation as text for people. */
  readonly isolation: string;
  /** The user of the agent's processes, if it is not the caller. */
  readonly user: { readonly uid: number; readonly gid: number } | undefined;
  /**
   * Starts a program inside, with exactly this environment and MURMUR_MACHINE. When it ends, all processes in its
   * namespace or process group end; the same when this process dies, for any reason. The program receives signals that
   * are sent through the child; SIGKILL ends all its processes. `pid` is the process above the program, such as
   * `unshare`.
   */
  readonly spawn: SpawnContained;
  /**
   * Ends processes inside that were started at or after a time. Spares those in `keep`, the programs below them, and
   * processes marked as companions, unless `withCompanions` is true: any process can carry the mark. Throws UNAVAILABLE
   * when a process does not end within 10 s.
   */
  endStartedSince(since: Date, keep: readonly number[], withCompanions?: boolean): Promise<void>;
  /** Whether no process that was started through this object can escape `endStarted`. */
  readonly isWhole: boolean;
  /** Ends every process inside that was started through this object. Throws UNAVAILABLE as above. */
  endStarted(): Promise<void>;
  /** Ends every process inside, including those of earlier objects. Throws UNAVAILABLE as above. */
  endAll(): Promise<void>;
  /**
   * Whether a connection to the port of 127.0.0.1 reaches a process inside. Decided by the socket's user if the agent
   * has its own user, else by the process that has it open. Throws FAILED_PRECONDITION when the system cannot tell.
   */
  portHolder(port: number): Promise<PortHolder>;
}
