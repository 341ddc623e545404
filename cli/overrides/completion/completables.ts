// What can be completed, made from the same grammars that parse.
import { DESCRIPTIONS } from '../../descriptions.ts';
import { grammarOf } from '../../derive/grammar.ts';
import { COMMON_FLAGS, type FlagGrammar } from '../../parse/grammar.ts';
import { EACH_FLAGS, LS_FLAGS, UP_FLAGS, VERSION_FLAGS, WAIT_FLAGS } from '../flags.ts';

/** What can be completed after a command. */
export interface Completable {
  /** `queue add` */
  readonly command: string;
  readonly summary: string;
  readonly flags: readonly FlagGrammar[];
  /** The first positional is the slug of an existing agent. */
  readonly takesSlug: boolean;
  /** Values of the last positional, such as shells and strategies. */
  readonly values: readonly string[];
}

/** Shells that there is a script for. */
export const SHELLS = ['bash', 'zsh', 'fish'] as const;

/** Every command, in the order of the help. */
export function completables(): readonly Completable[] {
  const extra: Readonly<Record<string, readonly FlagGrammar[]>> = {
    each: EACH_FLAGS,
    ls: LS_FLAGS,
    wait: WAIT_FLAGS,
    version: VERSION_FLAGS,
  };
  const operations = DESCRIPTIONS.map((description): Completable => {
    const { args, flags } = grammarOf(description, extra[description.name]);
    return {
      command: description.cli.command,
      summary: description.summary,
      flags,
      takesSlug: args[0]?.name === 'slug' && description.name !== 'spawn',
      values: args.flatMap((arg) => arg.values ?? []),
    };
  });
  const own = (
    command: string,
    summary: string,
    flags = COMMON_FLAGS,
    values: readonly string[] = [],
  ): Completable => ({
    command,
    summary,
    flags,
    takesSlug: false,
    values,
  });
  return [
    own('up', 'start Murmur on this machine', [...UP_FLAGS, ...COMMON_FLAGS]),
    own('down', 'stop Murmur on this machine'),
    own('doctor', 'find out what keeps agents from working here'),
    ...operations,
    own('completion', 'print a completion script for your shell', COMMON_FLAGS, SHELLS),
  ];
}
