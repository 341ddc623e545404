// What happens to a call of an MCP tool on either transport: its arguments are checked, its answer and its errors become
// results. Loads no zod: the stdio server starts anew for every session.
import type { JsonSchema } from './describe.ts';
import { unknownField } from './unknown-field.ts';
import { MurmurError } from './wire/errors.ts';

/** A tool: what clients are told of it, and how its answers look. */
export interface ToolDescription {
  /** The operation's name. */
  readonly name: string;
  readonly description: string;
  readonly inputSchema: {
    readonly type: 'object';
    readonly properties: Readonly<Record<string, JsonSchema>>;
    readonly required: readonly string[];
    readonly additionalProperties: false;
  };
  readonly annotations: {
    readonly readOnlyHint: boolean;
    readonly destructiveHint: boolean;
    readonly idempotentHint: boolean;
    readonly openWorldHint: boolean;
  };
  readonly answer: {
    /** Key of an answer that is no object, in structured content. */
    readonly result?: string;
    /** Field of the answer that is its text. */
    readonly text?: string;
  };
}

/** What a tool answers, in MCP's form: once as text and once as an object. */
export interface ToolResult {
  content: { type: 'text'; text: string }[];
  structuredContent: Record<string, unknown>;
  isError?: true;
  [key: string]: unknown;
}

/**
 * Throws INVALID_ARGUMENT for an argument that the tool does not have, offering the nearest, and for one that a model must
 * give. Everything else is the operation's to check.
 */
export function checkArguments({ inputSchema }: ToolDescription, given: Readonly<Record<string, unknown>>): void {
  const known = Object.keys(inputSchema.properties);
  const unknown = Object.keys(given).find((name) => !known.includes(name));
  if (unknown !== undefined) throw unknownField(unknown, unknown, known);
  const missing = inputSchema.required.find((name) => given[name] === undefined);
  if (missing !== undefined) {
    throw new MurmurError('INVALID_ARGUMENT', `${missing} required`, { details: { field: missing } });
  }
}

/** The result for an answer of the operation. */
export function resultOf({ answer: { result = 'result', text } }: ToolDescription, answer: unknown): ToolResult {
  const structured = isObject(answer) ? answer : { [result]: answer };
  const shown = text === undefined ? answer : structured[text];
  return {
    content: [{ type: 'text', text: typeof shown === 'string' ? shown : JSON.stringify(shown) }],
    structuredContent: structured,
  };
}

/** The result for an error: its code, its message and what to do next. */
export function errorResultOf(error: MurmurError): ToolResult {
  const { code, hint, message } = error;
  return {
    content: [{ type: 'text', text: `${code}: ${message}${hint === undefined ? '' : `\nhint: ${hint}`}` }],
    structuredContent: { error: error.toBody() },
    isError: true,
  };
}

/** A progress event of an operation in one line: what the agent is at. */
export function progressLineOf(progress: unknown): string {
  const { phase, progress: doing, note } = progress as { phase?: string; progress?: string; note?: string };
  return [phase, doing, note].filter((part) => part !== undefined).join('  ');
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
