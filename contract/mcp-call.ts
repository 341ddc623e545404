// Calls of MCP tools, on both transports: checks the arguments and converts answers and errors to results. Does not
// load zod, because the stdio server starts once per session.
import type { JsonSchema } from './describe.ts';
import { unknownField } from './unknown-field.ts';
import { MurmurError } from './wire/errors.ts';

/** A tool: its description for clients, and the form of its answers. */
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
    /** Key in structured content of an answer that is not an object. */
    readonly result?: string;
    /** Field of the answer that becomes the text content. */
    readonly text?: string;
  };
}

/** A tool's result in MCP's form: the answer as text and as an object. */
export interface ToolResult {
  content: { type: 'text'; text: string }[];
  structuredContent: Record<string, unknown>;
  isError?: true;
  [key: string]: unknown;
}

/**
 * Throws INVALID_ARGUMENT for an unknown argument, with the nearest known one, and for a missing required argument. The
 * operation checks everything else.
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

/** A progress event of an operation as one line. */
export function progressLineOf(progress: unknown): string {
  const { phase, progress: doing, note } = progress as { phase?: string; progress?: string; note?: string };
  return [phase, doing, note].filter((part) => part !== undefined).join('  ');
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
