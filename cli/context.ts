// What a command needs of the process it runs in. Handed in, so that tests run commands without a process.
import type { Config } from '@oclif/core/interfaces';
import type { Terminal } from './output/terminal.ts';

export interface CliContext {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
  readonly terminal: Terminal;
  /** Standard input as text, read to its end. */
  readonly readStdin: () => Promise<string>;
  /** Aborted with `Interrupted` when the person or the system ends the command. */
  readonly signal: AbortSignal;
  /** Version of this program. */
  readonly version: string;
  /** Header of W3C Trace Context for the calls of the command; absent: they belong to no trace. */
  readonly traceparent?: string;
}

/** Whether the command runs on an agent's machine, as that agent: it may then leave itself out, and has one workspace. */
export function isAgent({ env }: Pick<CliContext, 'env'>): boolean {
  return (env['MURMUR_WORKFLOW_ID'] ?? '') !== '';
}

/** oclif makes the commands and hands them its configuration only; the context travels with that. */
const contexts = new WeakMap<Config, CliContext>();

export function bindContext(config: Config, context: CliContext): void {
  contexts.set(config, context);
}

/** Throws when the configuration was not bound: commands run through `run.ts` only. */
export function contextOf(config: Config): CliContext {
  const context = contexts.get(config);
  if (context === undefined) throw new Error('this configuration has no context');
  return context;
}
