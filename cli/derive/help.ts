// Converts a command's grammar to oclif's form, for its help.
import type { Command } from '@oclif/core/command';
import type { ArgGrammar, FlagGrammar, Grammar } from '../parse/grammar.ts';

/** Flags in oclif's form. */
export function helpFlags(grammar: Grammar): Record<string, Command.Flag.Cached> {
  return Object.fromEntries(grammar.flags.map((flag) => [flag.name, helpFlag(flag)]));
}

/** Positionals in oclif's form. */
export function helpArgs(grammar: Grammar): Record<string, Command.Arg.Cached> {
  return Object.fromEntries(grammar.args.map((arg) => [arg.name, helpArg(arg)]));
}

/** `queue add [flags] <slug> <description...>` */
export function usageLine(command: string, grammar: Grammar): string {
  const words = grammar.args.map((arg) => {
    const name = arg.rest ? `${arg.name}...` : arg.name;
    return arg.required ? `<${name}>` : `[${name}]`;
  });
  return [command, '[flags]', ...words].join(' ');
}

function helpFlag(flag: FlagGrammar): Command.Flag.Cached {
  const common = {
    name: flag.name,
    description: flag.description,
    ...(flag.char === undefined ? {} : { char: flag.char as 'h' }),
    ...(flag.hidden === true ? { hidden: true } : {}),
    ...(flag.required === true ? { required: true } : {}),
  };
  if (flag.kind === 'boolean') return { ...common, type: 'boolean', allowNo: false };
  return {
    ...common,
    type: 'option',
    multiple: flag.repeatable,
    helpValue: flag.values === undefined ? '<value>' : `<${flag.values.join('|')}>`,
    ...(flag.default === undefined ? {} : { default: flag.default }),
  };
}

function helpArg(arg: ArgGrammar): Command.Arg.Cached {
  return {
    name: arg.name,
    description: arg.description,
    required: arg.required,
    ...(arg.values === undefined ? {} : { options: [...arg.values] }),
  };
}
