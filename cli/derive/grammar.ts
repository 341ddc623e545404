// An operation's flags and positionals, from its description.
import type { FieldDescription, OperationDescription } from '../../contract/describe.ts';
import { COMMON_FLAGS, type ArgGrammar, type FlagGrammar, type Grammar } from '../parse/grammar.ts';
import { kebab } from '../parse/names.ts';

/** Lists of ids and enum values may be separated by commas; texts such as checklist items may not. */
function takesCommas(field: FieldDescription): boolean {
  return field.type === 'enums' || (field.type === 'strings' && field.name.startsWith('add_'));
}

/** The grammar of an operation's command. `own` are additional flags of the command. */
export function grammarOf(description: OperationDescription, own: readonly FlagGrammar[] = []): Grammar {
  const { args } = description.cli;
  const byName = new Map(description.fields.map((field) => [field.name, field]));
  const positionals = args.map((name) => argOf(description, byName.get(name), name));
  const flags = description.fields.filter((field) => !args.includes(field.name)).map((f) => flagOf(description, f));
  return { args: positionals, flags: [...flags, ...own, ...COMMON_FLAGS] };
}

/** Name of a positional in usage lines and messages. */
export function argName(description: OperationDescription, field: string): string {
  return description.cli.argNames?.[field] ?? kebab(field);
}

/** The flag of a field. */
export function flagName(description: OperationDescription, field: string): string {
  return description.cli.flags?.[field]?.name ?? kebab(field);
}

function argOf(description: OperationDescription, field: FieldDescription | undefined, name: string): ArgGrammar {
  if (field === undefined) throw new Error(`${description.name} has no field ${name}`);
  return {
    name: argName(description, name),
    description: field.description,
    // Only an agent may omit the slug, which then is its own.
    required:
      (field.required || argName(description, name) === 'slug') && description.cli.optional?.includes(name) !== true,
    rest: description.cli.rest === name,
    ...valuesOf(description, field),
  };
}

function flagOf(description: OperationDescription, field: FieldDescription): FlagGrammar {
  const hints = description.cli.flags?.[field.name];
  const char = hints?.char ?? (field.name === 'workspace' ? 'w' : undefined);
  const repeatable = ['strings', 'enums', 'objects', 'map'].includes(field.type);
  return {
    name: flagName(description, field.name),
    kind: kindOf(field),
    repeatable,
    description: hints?.help ?? field.description,
    ...(char === undefined ? {} : { char }),
    ...(takesCommas(field) ? { commas: true } : {}),
    ...valuesOf(description, field),
    ...(field.schema['x-other-spellings'] === true ? { otherSpellings: true } : {}),
    ...(typeof field.default === 'string' ? { default: kebab(field.default) } : {}),
    ...(hints?.hidden === true ? { hidden: true } : {}),
    ...(field.required && hints?.optional !== true ? { required: true } : {}),
  };
}

/** A flag with a list of enum values means "all of them" if it has no value. */
function kindOf(field: FieldDescription): FlagGrammar['kind'] {
  if (field.type === 'boolean') return 'boolean';
  return field.type === 'enums' ? 'optional' : 'value';
}

function valuesOf(description: OperationDescription, field: FieldDescription): Pick<FlagGrammar, 'values' | 'refusal'> {
  if (field.values === undefined) return {};
  const refusal = description.cli.refusals?.[field.name];
  return { values: field.values.map(kebab), ...(refusal === undefined ? {} : { refusal }) };
}
