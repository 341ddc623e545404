// What a command accepts: its flags and positionals, derived from an operation or written by a command of the CLI's own.

/** How a flag takes its value. `optional` takes one only after `=`: a bare `--timeline` would swallow the slug. */
export type FlagKind = 'boolean' | 'value' | 'optional';

export interface FlagGrammar {
  /** Without dashes, in kebab case. */
  readonly name: string;
  readonly kind: FlagKind;
  readonly char?: string;
  readonly repeatable: boolean;
  /** In several values, which are also split at commas: ids and enum values, never free text. */
  readonly commas?: boolean;
  readonly description: string;
  /** Values as they are typed, in kebab case. */
  readonly values?: readonly string[];
  /** Words before a value that it does not take; `unknown value` by default. */
  readonly refusal?: string;
  /** The server knows more spellings than `values`. */
  readonly otherSpellings?: boolean;
  readonly default?: string;
  readonly hidden?: boolean;
  readonly required?: boolean;
}

export interface ArgGrammar {
  readonly name: string;
  readonly description: string;
  readonly required: boolean;
  /** Takes all remaining words. */
  readonly rest: boolean;
  readonly values?: readonly string[];
  /** Words before a value that it does not take; `unknown value` by default. */
  readonly refusal?: string;
}

export interface Grammar {
  readonly flags: readonly FlagGrammar[];
  readonly args: readonly ArgGrammar[];
}

/** Flags of every command. */
export const COMMON_FLAGS: readonly FlagGrammar[] = [
  { name: 'json', kind: 'boolean', repeatable: false, description: 'Print the result as JSON.' },
  { name: 'debug', kind: 'boolean', repeatable: false, description: 'Print stack traces of errors.' },
  { name: 'help', kind: 'boolean', char: 'h', repeatable: false, description: 'Show this help.' },
];
