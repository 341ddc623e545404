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
  /** Asked twice with the same input, it has the effect of once. */
  readonly idempotent: boolean;
}

/** How the command line presents the operation. Flags are the input's other fields, in kebab case. */
export interface CliHints {
  /** Words of the command: `queue add`. */
  readonly command: string;
  /** Input fields given by position, in order. */
  readonly args: readonly string[];
  /** Positionals that may be left out although commands need them otherwise: the slug of an agent that has a default. */
  readonly optional?: readonly string[];
  /** What the usage line calls a positional, where that is not the field's name: `prompt` for `description`. */
  readonly argNames?: Readonly<Record<string, string>>;
  /** The positional field that takes all remaining words, joined by spaces (or a list of them, for an array). */
  readonly rest?: string;
  /** Flags that are not simply the field's name. */
  readonly flags?: Readonly<
    Record<
      string,
      {
        readonly name?: string;
        readonly char?: string;
        readonly hidden?: boolean;
        readonly help?: string;
        /** The command fills the field in when the flag is not given. */
        readonly optional?: boolean;
      }
    >
  >;
  /** Words before the quoted value when a field does not take it: `unknown phase` for `unknown phase "idel"`. */
  readonly refusals?: Readonly<Record<string, string>>;
  /**
   * The line that is printed for people, with fields of the answer in braces: `cleared {cleared}`. Lists are joined by
   * commas. Absent where people see more than a line: the operation has a presenter.
   */
  readonly prints?: string;
  /** Working command lines, without `murmur`. */
  readonly examples: readonly { readonly line: string; readonly says: string }[];
}

/** How the MCP server presents the operation. The tool has the operation's name and its fields, but for `without`. */
export interface McpHints {
  /** Fields that only make sense at a terminal. */
  readonly without?: readonly string[];
  /** Fields that a model must give although others may leave them out, such as the slug that means oneself when empty. */
  readonly required?: readonly string[];
  /** What an answer that is no object is called in structured content: `agents`. Default `result`. */
  readonly result?: string;
  /** The field of the answer that is its text; default: the whole answer, as JSON. */
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
  /** Codes it can answer beside UNAUTHENTICATED, UNAVAILABLE and INTERNAL. */
  readonly errors: readonly ErrorCode[];
  readonly hints: OperationHints;
  /** Server-sent events: `events` for an open-ended stream, `result` for progress events that end in one answer. */
  readonly stream?: 'events' | 'result';
  /**
   * Fields that name files of the caller's own: the client reads them and sends what is in them, so that its route alone
   * does not do. For an agent that calls tools over HTTP the server reads them on its machine.
   */
  readonly local?: readonly string[];
  readonly cli: CliHints;
  /** Absent for operations that are no tool. */
  readonly mcp?: McpHints;
  /** What it does to the agent that `slug` names; absent when it concerns no single agent. */
  readonly access?: Access;
  /** What it sends, for an operation that only sends a message; any other has a handler in the API server. */
  readonly to?: Message<never, unknown>;
}

/** The same type with everything read-only: answers are made of wire types, which are read-only all the way down. */
type DeepReadonly<T> = T extends object ? { readonly [Key in keyof T]: DeepReadonly<T[Key]> } : T;

/**
 * Defines an operation; the identity function that keeps the literal's own types, its name among them. What it sends is
 * checked against its own input and output.
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

/** What a caller sends, defaults still open. */
export type InputOf<Op extends Operation> = z.input<Op['input']>;
/** What a handler gets: checked, defaults filled in. */
export type ParsedInputOf<Op extends Operation> = z.output<Op['input']>;
/** The answer, or one event of an `events` stream. */
export type OutputOf<Op extends Operation> = z.output<Op['output']>;
/** What a handler or a plain message answers. */
export type AnswerOf<Op extends Operation> = DeepReadonly<OutputOf<Op>>;
