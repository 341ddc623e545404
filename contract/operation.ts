// What an operation is. One operation is one file in contract/operations; every surface is derived from it.
import type { z } from 'zod';
import type { Message } from './message.ts';
import type { ErrorCode } from './wire/errors.ts';
import type { Access } from './wire/rights.ts';

/** How a surface may treat the operation. */
export interface OperationHints {
  /** Changes nothing. */
  readonly readOnly: boolean;
  /** Ends or discards something. */
  readonly destructive: boolean;
  /** A second call with the same input has no further effect. */
  readonly idempotent: boolean;
}

/** How the command line presents the operation. Flags are the input's other fields, in kebab case. */
export interface CliHints {
  /** Words of the command: `queue add`. */
  readonly command: string;
  /** Input fields given by position, in order. */
  readonly args: readonly string[];
  /** Positionals that are optional on the command line, such as the slug where it has a default. */
  readonly optional?: readonly string[];
  /** Names of positionals in the usage line that differ from the field's name: `prompt` for `description`. */
  readonly argNames?: Readonly<Record<string, string>>;
  /** The positional field that takes all remaining words, joined by spaces (or a list of them, for an array). */
  readonly rest?: string;
  /** Flags that differ from the field's name. */
  readonly flags?: Readonly<
    Record<
      string,
      {
        readonly name?: string;
        readonly char?: string;
        readonly hidden?: boolean;
        readonly help?: string;
        /** The command sets the field itself if the flag is absent. */
        readonly optional?: boolean;
      }
    >
  >;
  /** Start of the error for an invalid value, by field: `unknown phase` for `unknown phase "idel"`. */
  readonly refusals?: Readonly<Record<string, string>>;
  /**
   * The line printed for people, with fields of the answer in braces: `cleared {cleared}`. Lists are joined by commas.
   * Absent if the operation has a presenter, which prints more than a line.
   */
  readonly prints?: string;
  /** Working command lines, without `murmur`. */
  readonly examples: readonly { readonly line: string; readonly says: string }[];
}

/** How the MCP server presents the operation. The tool has the operation's name and its fields except `without`. */
export interface McpHints {
  /** Fields that only make sense at a terminal. */
  readonly without?: readonly string[];
  /** Optional fields that a model must set, such as the slug: an empty one would mean the model's own agent. */
  readonly required?: readonly string[];
  /** Key in structured content of an answer that is not an object: `agents`. Default: `result`. */
  readonly result?: string;
  /** Field of the answer that becomes the text content. Default: the whole answer as JSON. */
  readonly text?: string;
}

export interface Operation<Input extends z.ZodObject = z.ZodObject, Output extends z.ZodType = z.ZodType> {
  /** snake_case: the route `POST /v1/<name>` and the MCP tool. */
  readonly name: string;
  /** One line, lower case, without a full stop. */
  readonly summary: string;
  /** What it guarantees, for people and models. */
  readonly description: string;
  readonly input: Input;
  /** The answer, or one event of the stream. */
  readonly output: Output;
  /** A `result` stream's progress events, before the answer. */
  readonly progress?: z.ZodType;
  /** Codes it can return beside UNAUTHENTICATED, UNAVAILABLE and INTERNAL. */
  readonly errors: readonly ErrorCode[];
  readonly hints: OperationHints;
  /** Server-sent events: `events` for an open-ended stream, `result` for progress events that end in one answer. */
  readonly stream?: 'events' | 'result';
  /**
   * Fields that name files on the caller's side. The client reads the files and sends their contents, so a call of the
   * route alone does not work. For an agent that calls tools over HTTP, the server reads them on the agent's machine.
   */
  readonly local?: readonly string[];
  readonly cli: CliHints;
  /** Absent for operations that are not tools. */
  readonly mcp?: McpHints;
  /** What it does to the agent `slug`; absent if it does not concern one agent. */
  readonly access?: Access;
  /** The message, for an operation that only sends one. Any other operation has a handler in the API server. */
  readonly to?: Message<never, unknown>;
}

/** The same type with all fields read-only, because answers are built from wire types, which are read-only. */
type DeepReadonly<T> = T extends object ? { readonly [Key in keyof T]: DeepReadonly<T[Key]> } : T;

/**
 * Defines an operation: the identity function, which keeps the literal types, such as the name's. The compiler checks
 * the message against the operation's input and output.
 */
export function defineOperation<
  Input extends z.ZodObject,
  Output extends z.ZodType,
  const Op extends Omit<Operation<Input, Output>, 'to'>,
>(
  operation: Op & {
    readonly input: Input;
    readonly output: Output;
    readonly to?: Message<z.output<Input>, DeepReadonly<z.output<Output>>>;
  },
): Op {
  return operation;
}

/** The input that a caller sends, before defaults are applied. */
export type InputOf<Op extends Operation> = z.input<Op['input']>;
/** The input that a handler gets: validated, with defaults applied. */
export type ParsedInputOf<Op extends Operation> = z.output<Op['input']>;
/** The answer, or one event of an `events` stream. */
export type OutputOf<Op extends Operation> = z.output<Op['output']>;
/** The answer of a handler or a plain message. */
export type AnswerOf<Op extends Operation> = DeepReadonly<OutputOf<Op>>;
