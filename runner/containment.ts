// What the runner needs of the machine's isolation. Implemented by runner/isolation.
import type { PortHolder } from '../contract/wire/runner.ts';
import type { SpawnContained } from './isolation/isolation.ts';
import { childOutput } from './child-output.ts';
import type { ChildOutput, OutputLimits } from './child-output.ts';

export interface Containment {
  /** How processes are held apart, for people. */
  readonly isolation: string;
  /** Whom the agent's processes run as, when that is not the caller. */
  readonly user: { readonly uid: number; readonly gid: number } | undefined;
  readonly spawn: SpawnContained;
  /**
   * Ends what was started at or after a time and still runs, except these processes, what they are made of, and the
   * companions of the agent program.
   */
  endStartedSince(since: Date, keep: readonly number[]): Promise<void>;
  /** Whether nothing that was started through this object can outlive `endStarted`, whatever it does. */
  readonly isWhole: boolean;
  /** Ends every process inside that was started through this object. Resolves when they are gone. */
  endStarted(): Promise<void>;
  /** Ends every process inside, also what an earlier runner left: it looks at each process of the host. */
  endAll(): Promise<void>;
  /** Whether a connection to the port of 127.0.0.1 reaches a process inside. */
  portHolder(port: number): Promise<PortHolder>;
}

export interface ContainedRun extends OutputLimits {
  readonly cwd: string;
  readonly env: Readonly<Record<string, string>>;
}

/** Runs a program inside to its end; see `childOutput` for the limits and errors. */
export function runContained(
  containment: Containment,
  command: string,
  args: readonly string[],
  { cwd, env, ...limits }: ContainedRun,
): Promise<ChildOutput> {
  return childOutput(containment.spawn(command, args, { cwd, env }), limits);
}
