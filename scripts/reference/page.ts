// The reference pages as Markdown.
import type { FieldDescription, JsonSchema, OperationDescription } from '../../contract/describe.ts';
import { fence, HEAD, table, typeText } from './markdown.ts';

/** The page of one operation. `help` is the help of its command. */
export function operationPage(operation: OperationDescription, help: string): string {
  return `${[
    HEAD,
    `# ${operation.name}`,
    `${capital(operation.summary)}.`,
    operation.description,
    '## Command line',
    fence('text', help),
    '## HTTP',
    fence('http', httpExample(operation)),
    streamText(operation),
    localText(operation),
    '### Input',
    fieldTable(operation.fields),
    '### Output',
    outputText(operation),
    '## Errors',
    table(
      ['Code', 'Meaning', 'HTTP', 'Exit'],
      operation.errors.map(({ code, meaning, http, exit }) => [`\`${code}\``, meaning, String(http), String(exit)]),
    ),
  ]
    .filter((part) => part !== '')
    .join('\n\n')}\n`;
}

/** The list of all pages. */
export function indexPage(operations: readonly (OperationDescription & { readonly page: string })[]): string {
  const rows = operations.map(({ name, page, summary, cli }) => [
    `[${name}](${page})`,
    `\`murmur ${cli.command}\``,
    summary,
  ]);
  return `${[
    HEAD,
    '# Operations',
    'Every operation is a command and an HTTP route. The whole HTTP API is in [openapi.json](openapi.json), and the ' +
      'operations that are MCP tools are in [mcp.md](mcp.md).',
    table(['Operation', 'Command', 'What it does'], rows),
  ].join('\n\n')}\n`;
}

function httpExample(operation: OperationDescription): string {
  const body = Object.fromEntries(
    operation.fields.filter((field) => field.required).map((field) => [field.name, exampleOf(field)]),
  );
  return [
    `POST /v1/${operation.name} HTTP/1.1`,
    'Authorization: Bearer <token>',
    'Content-Type: application/json',
    ...(operation.hints.readOnly ? [] : ['Idempotency-Key: <id>']),
    '',
    JSON.stringify(body),
  ].join('\n');
}

const EXAMPLES: Readonly<Record<string, string>> = {
  slug: 'fix-auth',
  description: 'Fix the session timeout',
  message: 'Also add a test',
  subject: 'Add a regression test',
  task_id: '1',
};

function exampleOf(field: FieldDescription): string {
  return EXAMPLES[field.name] ?? field.values?.[0] ?? '…';
}

function streamText({ stream }: OperationDescription): string {
  if (stream === 'events') {
    return (
      'Answers with server-sent events. Each has an `id`; send the last one as `Last-Event-ID` to resume. `event: end` ' +
      'ends the stream for good, `event: reconnect` asks the client to connect again.'
    );
  }
  return stream === 'result'
    ? 'With `Accept: text/event-stream` a slow call answers with `progress` events, then `result` or `error`.'
    : '';
}

function localText({ local = [] }: OperationDescription): string {
  const fields = local.map((name) => `\`${name}\``).join(', ');
  return fields === ''
    ? ''
    : `${fields} ${local.length === 1 ? 'names a file' : 'name files'} on the caller's side, which the CLI or the MCP server reads. This route answers FAILED_PRECONDITION.`;
}

function fieldTable(fields: readonly FieldDescription[]): string {
  if (fields.length === 0) return 'An empty object.';
  return table(
    ['Field', 'Type', 'Required', 'Description'],
    fields.map((field) => [
      `\`${field.name}\``,
      typeText(field.schema),
      field.required ? 'yes' : 'no',
      fieldText(field),
    ]),
  );
}

function fieldText(field: FieldDescription): string {
  const { default: value } = field;
  return value === undefined ? field.description : `${field.description} Default: \`${JSON.stringify(value)}\`.`;
}

function outputText({ output, stream }: OperationDescription): string {
  if (output['type'] === 'string') return `A string: ${String(output['description'])}`;
  const items = output['type'] === 'array' ? (output['items'] as JsonSchema) : undefined;
  const schema = items ?? output;
  const what = stream === 'events' ? 'Each event:' : items === undefined ? 'An object:' : 'A list of objects:';
  return `${what}\n\n${propertyTable(schema)}`;
}

function propertyTable(schema: JsonSchema): string {
  const properties = (schema['properties'] ?? {}) as Readonly<Record<string, JsonSchema>>;
  const required = (schema['required'] ?? []) as readonly string[];
  return table(
    ['Field', 'Type', 'Always', 'Description'],
    Object.entries(properties).map(([name, each]) => [
      `\`${name}\``,
      typeText(each),
      required.includes(name) ? 'yes' : 'no',
      typeof each['description'] === 'string' ? each['description'] : '',
    ]),
  );
}

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
