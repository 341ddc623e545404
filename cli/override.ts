// How a command may differ from the one derived from its operation. Types only.
import type { OperationDescription } from '../contract/describe.ts';
import type { MurmurClient } from '../client/index.ts';
import type { Settings } from '../config/settings.ts';
import type { Invocation } from './command.ts';
import type { Input } from './derive/input.ts';
import type { FlagGrammar } from './parse/grammar.ts';

/** One run of an operation's command. */
export interface Call extends Invocation {
  readonly operation: OperationDescription;
  readonly input: Input;
  readonly settings: Settings;
  readonly client: MurmurClient;
}

/** Steps of an operation's command that replace the derived ones. */
export interface CommandOverride {
  /** Replaces the whole command, for commands that must work without a server. */
  readonly standalone?: (invocation: Invocation, settings: Settings) => Promise<void>;
  /** Completes the input from the caller's files, environment and stdin. */
  readonly prepare?: (input: Input, invocation: Invocation, settings: Settings) => Promise<Input>;
  /** Replaces the call and the presenter. */
  readonly run?: (call: Call) => Promise<void>;
}

/** An override, and the flags that it adds. It is loaded when the command runs. */
export interface LazyOverride {
  readonly flags?: readonly FlagGrammar[];
  readonly load: () => Promise<CommandOverride>;
}
