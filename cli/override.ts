// What a command may add to its operation. Types only.
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

/** What a command adds to its operation. Loaded when the command runs. */
export interface OwnHalf {
  /** Runs in place of everything: for what must work without a server. */
  readonly standalone?: (invocation: Invocation, settings: Settings) => Promise<void>;
  /** Completes the input: what is read from the caller's files, environment and stdin. */
  readonly prepare?: (input: Input, invocation: Invocation, settings: Settings) => Promise<Input>;
  /** Runs in place of call and presenter. */
  readonly run?: (call: Call) => Promise<void>;
}

export interface OwnPart {
  readonly flags?: readonly FlagGrammar[];
  readonly load: () => Promise<OwnHalf>;
}
