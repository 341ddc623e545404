// What a command needs from its process. It is passed in, so that tests can run commands without a process.
import type { Config } from '@oclif/core/interfaces';
import { readAgentFile } from '../config/agent-file.ts';
import { AGENT_ID } from '../contract/wire/agent-file.ts';
import type { Terminal } from './output/terminal.ts';

export interface CliContext {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
  readonly terminal: Terminal;
  /** Standard input as text, read to its end. */
  readonly readStdin: () => Promise<string>;
  /** Aborts with `Interrupted` when the person or the system ends the command. */
  readonly signal: AbortSignal;
  /** Version of this program. */
  readonly version: string;
  /** W3C Trace Context header for the command's calls; absent without a trace. */
  readonly traceparent?: string;
}

/** Whether an agent runs the command on its machine. Its own slug is then optional, and its workspace is fixed. */
export function isAgent({ env }: Pick<CliContext, 'env'>): boolean {
  return (env[AGENT_ID] ?? '') !== '' || readAgentFile(env)?.agent !== undefined;
}

/** The context by configuration: oclif creates the commands and passes them only its configuration. */
const contexts = new WeakMap<Config, CliContext>();

export function bindContext(config: Config, context: CliContext): void {
  contexts.set(config, context);
}

/** Throws if the configuration was not bound, because commands must run through `run.ts`. */
export function contextOf(config: Config): CliContext {
  const context = contexts.get(config);
  if (context === undefined) throw new Error('this configuration has no context');
  return context;
}
