// The grammar of a command: flags and positionals, derived from an operation or defined by the CLI.

/** How a flag gets its value. `optional` takes one only after `=`, so that `--timeline` does not take the slug. */
export type FlagKind = 'boolean' | 'value' | 'optional';

export interface FlagGrammar {
  /** Without dashes, in kebab case. */
  readonly name: string;
  readonly kind: FlagKind;
  readonly char?: string;
  readonly repeatable: boolean;
  /** Whether values are split at commas: ids and enum values, never free text. */
  readonly commas?: boolean;
  readonly description: string;
  /** Valid values, in kebab case. */
  readonly values?: readonly string[];
  /** Start of the error for an invalid value; default `unknown value`. */
  readonly refusal?: string;
  /** Whether the server accepts more spellings than `values`. */
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
  /** Start of the error for an invalid value; default `unknown value`. */
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
