// Holding the processes of an agent apart from the host and from other agents: what every kind of isolation does.
import type { ChildProcessWithoutNullStreams } from 'node:child_process';
import type { PortHolder } from '../../contract/wire/runner.ts';

/** Starts a process inside the machine's isolation, with exactly this environment. */
export type SpawnContained = (
  command: string,
  args: readonly string[],
  options: { readonly cwd: string; readonly env: Readonly<Record<string, string>> },
) => ChildProcessWithoutNullStreams;

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
