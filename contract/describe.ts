// Operations as plain JSON, for programs that must not load zod: the published CLI, completion, the reference pages.
import { z } from 'zod';
import { operations } from './operations/index.ts';
import type { CliHints, Operation, OperationHints } from './operation.ts';
import { OTHER_SPELLINGS } from './schema/spellings.ts';
import { ERRORS } from './wire/errors.ts';
import type { ErrorCode } from './wire/errors.ts';

/** JSON Schema, draft 2020-12. */
export type JsonSchema = Readonly<Record<string, unknown>>;

/** Type of a flag or positional. `json` is anything else: each surface decides how it is written. */
export type FieldType =
  | 'string'
  | 'integer'
  | 'number'
  | 'boolean'
  | 'enum'
  | 'strings'
  | 'enums'
  | 'objects'
  | 'map'
  | 'json';

/** One field of an operation's input. */
export interface FieldDescription {
  readonly name: string;
  readonly type: FieldType;
  readonly required: boolean;
  readonly description: string;
  /** Values of an `enum`, or of each item of `enums`. */
  readonly values?: readonly string[];
  /** Set if the server accepts more spellings than `values` lists: surfaces pass the value on unchanged. */
  readonly otherSpellings?: true;
  /** The value that the server uses if the field is absent. */
  readonly default?: unknown;
  readonly schema: JsonSchema;
}

/** An error that an operation can return. */
export interface ErrorDescription {
  readonly code: ErrorCode;
  readonly meaning: string;
  readonly exit: number;
  readonly http: number;
  readonly hint?: string;
}

/** Everything a surface needs to offer an operation. */
export interface OperationDescription {
  readonly name: string;
  readonly summary: string;
  readonly description: string;
  readonly stream?: 'events' | 'result';
  readonly hints: OperationHints;
  /** Fields that name files on the caller's side, which the client reads. */
  readonly local?: readonly string[];
  readonly cli: CliHints;
  readonly errors: readonly ErrorDescription[];
  readonly fields: readonly FieldDescription[];
  readonly input: JsonSchema;
  readonly output: JsonSchema;
  readonly progress?: JsonSchema;
}

/** Codes that every operation can return. */
const COMMON_ERRORS: readonly ErrorCode[] = ['UNAUTHENTICATED', 'UNAVAILABLE', 'INTERNAL'];

/** Describes every operation, in the registry's order. */
export function describeOperations(): readonly OperationDescription[] {
  return Object.values(operations).map(describeOperation);
}

/** Describes one operation. */
export function describeOperation(operation: Operation): OperationDescription {
  const input = schemaOf(operation.input, 'input');
  return {
    name: operation.name,
    summary: operation.summary,
    description: operation.description,
    ...(operation.stream === undefined ? {} : { stream: operation.stream }),
    hints: operation.hints,
    ...(operation.local === undefined ? {} : { local: operation.local }),
    cli: operation.cli,
    errors: [...operation.errors, ...COMMON_ERRORS].map(describeError),
    fields: fieldsOf(input),
    input,
    output: schemaOf(operation.output, 'output'),
    ...(operation.progress === undefined ? {} : { progress: schemaOf(operation.progress, 'output') }),
  };
}

function describeError(code: ErrorCode): ErrorDescription {
  const { meaning, exit, http, ...rest } = ERRORS[code];
  return { code, meaning, exit, http, ...('hint' in rest ? { hint: rest.hint } : {}) };
}

function schemaOf(schema: z.ZodType, io: 'input' | 'output'): JsonSchema {
  const { $schema: _dialect, ...rest } = z.toJSONSchema(schema, { io });
  return rest;
}

function fieldsOf(input: JsonSchema): readonly FieldDescription[] {
  const properties = (input['properties'] ?? {}) as Readonly<Record<string, JsonSchema>>;
  const required = (input['required'] ?? []) as readonly string[];
  return Object.entries(properties).map(([name, schema]) => ({
    name,
    type: fieldType(schema),
    required: required.includes(name),
    description: typeof schema['description'] === 'string' ? schema['description'] : '',
    ...valuesOf(schema),
    ...(hasOtherSpellings(schema) ? { otherSpellings: true as const } : {}),
    ...('default' in schema ? { default: schema['default'] } : {}),
    schema,
  }));
}

function fieldType(schema: JsonSchema): FieldType {
  if ('enum' in schema) return 'enum';
  switch (schema['type']) {
    case 'string':
      return 'string';
    case 'integer':
      return 'integer';
    case 'number':
      return 'number';
    case 'boolean':
      return 'boolean';
    case 'array':
      return itemsType(schema['items'] as JsonSchema);
    case 'object':
      return 'additionalProperties' in schema && !('properties' in schema) ? 'map' : 'json';
    default:
      return 'json';
  }
}

function itemsType(items: JsonSchema): FieldType {
  if ('enum' in items) return 'enums';
  if (items['type'] === 'string') return 'strings';
  return items['type'] === 'object' ? 'objects' : 'json';
}

function hasOtherSpellings(schema: JsonSchema): boolean {
  return Object.keys(OTHER_SPELLINGS).every((mark) => schema[mark] === true);
}

function valuesOf(schema: JsonSchema): { readonly values?: readonly string[] } {
  const values = schema['enum'] ?? (schema['items'] as JsonSchema | undefined)?.['enum'];
  return Array.isArray(values) ? { values: values.map(String) } : {};
}
