// Builds an operation's input from the parsed command line. The server checks it.
import type { FieldDescription, OperationDescription } from '../../contract/describe.ts';
import { MurmurError } from '../../contract/wire/errors.ts';
import type { Parsed } from '../parse/arguments.ts';
import { sameName } from '../parse/names.ts';
import { argName, flagName } from './grammar.ts';

export type Input = Record<string, unknown>;

/**
 * Builds the input. Fields that were not given are absent. Fields of structured types have the texts as typed; the
 * command's override converts them.
 */
export function inputOf(description: OperationDescription, parsed: Parsed): Input {
  const input: Input = {};
  for (const field of description.fields) {
    const isArg = description.cli.args.includes(field.name);
    const typed = isArg
      ? parsed.args.get(argName(description, field.name))
      : parsed.flags.get(flagName(description, field.name));
    const shownName = isArg ? argName(description, field.name) : `--${flagName(description, field.name)}`;
    if (typed !== undefined) input[field.name] = valueOf(field, typed, isArg, shownName);
  }
  return input;
}

/** @param shownName what errors call the field: the words of the command line */
function valueOf(field: FieldDescription, typed: readonly string[], isArg: boolean, shownName: string): unknown {
  switch (field.type) {
    case 'boolean':
      return true;
    case 'integer':
      return integerOf(shownName, typed[0] ?? '');
    case 'number':
      return numberOf(shownName, typed[0] ?? '');
    case 'enum':
      return wireValue(field, typed[0] ?? '');
    case 'enums':
      return typed.length === 0 ? field.values : typed.map((value) => wireValue(field, value));
    case 'string':
      return isArg ? typed.join(' ') : typed[0];
    default:
      return typed;
  }
}

/** The contract's spelling of a value. A spelling that only the server knows is passed on unchanged. */
function wireValue(field: FieldDescription, typed: string): string {
  return field.values?.find((value) => sameName(value, typed)) ?? typed;
}

function numberOf(name: string, text: string): number {
  if (/^-?\d{1,15}(\.\d{1,9})?$/.test(text)) return Number(text);
  throw new MurmurError('INVALID_ARGUMENT', `${name} is ${JSON.stringify(text)}: it needs a number`);
}

function integerOf(name: string, text: string): number {
  if (/^-?\d{1,15}$/.test(text)) return Number(text);
  throw new MurmurError('INVALID_ARGUMENT', `${name} is ${JSON.stringify(text)}: it needs a whole number`);
}
