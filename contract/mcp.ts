// The operations as MCP tools, derived like every other surface. Loads zod; mcp-call.ts, for calls, does not.
import { describeOperation } from './describe.ts';
import type { JsonSchema } from './describe.ts';
import type { ToolDescription } from './mcp-call.ts';
import { operations } from './operations/index.ts';
import type { McpHints, Operation } from './operation.ts';
import { OTHER_SPELLINGS } from './schema/spellings.ts';

/** Describes every operation that is a tool, in the registry's order: the same for every transport. */
export function describeTools(): readonly ToolDescription[] {
  return Object.values(operations).flatMap((operation: Operation) => toolOf(operation) ?? []);
}

function toolOf(operation: Operation): ToolDescription | undefined {
  const { description, hints, mcp, name, summary } = operation;
  if (mcp === undefined) return undefined;
  const { input } = describeOperation(operation);
  return {
    name,
    description: `${summary.charAt(0).toUpperCase()}${summary.slice(1)}. ${description}`,
    inputSchema: inputSchemaOf(input, mcp),
    annotations: {
      readOnlyHint: hints.readOnly,
      destructiveHint: hints.destructive,
      idempotentHint: hints.idempotent,
      // The hint concerns the call itself, not what an agent does afterwards.
      openWorldHint: false,
    },
    answer: {
      ...(mcp.result === undefined ? {} : { result: mcp.result }),
      ...(mcp.text === undefined ? {} : { text: mcp.text }),
    },
  };
}

/** The operation's schema without the fields that are not for models, and with the fields that models must set. */
function inputSchemaOf(input: JsonSchema, { required = [], without = [] }: McpHints): ToolDescription['inputSchema'] {
  const properties = Object.entries((input['properties'] ?? {}) as Readonly<Record<string, JsonSchema>>)
    .filter(([name]) => !without.includes(name))
    .map(([name, schema]) => [name, plain(schema, required.includes(name))]);
  return {
    type: 'object',
    properties: Object.fromEntries(properties) as Readonly<Record<string, JsonSchema>>,
    required: [...new Set([...requiredOf(input), ...required])].filter((name) => !without.includes(name)),
    additionalProperties: false,
  };
}

function requiredOf(input: JsonSchema): readonly string[] {
  return (input['required'] ?? []) as readonly string[];
}

/** Removes Murmur's own mark, and the default of a required field. */
function plain(schema: JsonSchema, isRequired: boolean): JsonSchema {
  const marks = [...Object.keys(OTHER_SPELLINGS), ...(isRequired ? ['default'] : [])];
  return Object.fromEntries(Object.entries(schema).filter(([key]) => !marks.includes(key)));
}
