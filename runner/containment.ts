// Runs programs inside the isolation to their end.
import type { Isolation } from './isolation/port.ts';
import { childOutput } from './child-output.ts';
import type { ChildOutput, OutputLimits } from './child-output.ts';

export interface ContainedRun extends OutputLimits {
  readonly cwd: string;
  readonly env: Readonly<Record<string, string>>;
}

/** Runs a program inside the isolation to its end; see `childOutput` for limits and errors. */
export function runContained(
  containment: Isolation,
  command: string,
  args: readonly string[],
  { cwd, env, ...limits }: ContainedRun,
): Promise<ChildOutput> {
  return childOutput(containment.spawn(command, args, { cwd, env }), limits);
}
