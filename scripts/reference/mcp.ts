// The reference page of the MCP tools.
import type { ToolDescription } from '../../contract/mcp-call.ts';
import { fence, HEAD, table, typeText } from './markdown.ts';

/** @param help what the command prints */
export function mcpPage(tools: readonly ToolDescription[], help: string): string {
  return `${[
    HEAD,
    '# MCP tools',
    'A coding agent uses Murmur by the tools of an MCP server, which are the operations under the same names. There are ' +
      'two ways to them, with the same answers.',
    '## Over standard input and output',
    fence('bash', 'claude mcp add murmur -- murmur mcp'),
    'The server calls the API server of `MURMUR_API_URL` with the token of `MURMUR_TOKEN`, by default those of the ' +
      'embedded stack. Workspace and model of `.murmur/murmur.yaml` hold where a call names none. Repositories are those ' +
      'that the call names: without any an agent starts in an empty directory, also where `murmur spawn` would take the ' +
      "current one. On an agent's machine the server is registered already, and calls have the agent's rights.",
    fence('text', help),
    '## Over HTTP',
    fence('bash', 'claude mcp add --transport http murmur <api-url>/mcp --header "Authorization: Bearer <token>"'),
    'Streamable HTTP without sessions: each `POST /mcp` stands alone, and a call whose connection ends is ended with it. ' +
      'The tools are the same. A file that a field names (`path` of `upload`, `each` and `flight` of `spawn`) is read on ' +
      'the machine of the agent that calls, with the rights of that agent; relative paths are relative to its working ' +
      'directory. A person has no machine that the server could see: such a call is FAILED_PRECONDITION, and works over ' +
      'standard input and output.',
    '## Answers',
    'A result holds the answer twice: as an object in `structuredContent`, and as text, which is the same in JSON unless ' +
      'said otherwise below. A failure is a result with `isError`; its text begins with the code, its structured content ' +
      'is `{"error": {code, message, hint, details}}`, as over HTTP. A name that no tool has is an error of the protocol ' +
      '(-32602). A call with a `progressToken` is told every phase and step, and at least every 15 seconds that it goes ' +
      'on, so that a time limit that counts from the last progress does not cut a `wait`. Canceling a call ends it; what ' +
      'it has already changed stays changed.',
    ...tools.map(toolText),
  ].join('\n\n')}\n`;
}

function toolText(tool: ToolDescription): string {
  const { description, inputSchema, name } = tool;
  const rows = Object.entries(inputSchema.properties).map(([field, schema]) => [
    `\`${field}\``,
    typeText(schema),
    inputSchema.required.includes(field) ? 'yes' : 'no',
    [schema['description'], defaultText(schema['default'])].filter((part) => typeof part === 'string').join(' '),
  ]);
  return [
    `## ${name}`,
    description,
    rows.length === 0 ? 'Takes no fields.' : table(['Field', 'Type', 'Required', 'Description'], rows),
    answerText(tool),
  ].join('\n\n');
}

function defaultText(value: unknown): string | undefined {
  return value === undefined ? undefined : `Default: \`${JSON.stringify(value)}\`.`;
}

function answerText({ annotations, answer: { result, text }, name }: ToolDescription): string {
  const page = `[${name}](${name.replaceAll('_', '-')}.md)`;
  return [
    `Answers as ${page} does`,
    ...(result === undefined ? [] : [`, under \`${result}\` in structured content`]),
    ...(text === undefined ? [] : [`; the text is its \`${text}\``]),
    '.',
    annotations.readOnlyHint ? ' Changes nothing.' : '',
    annotations.destructiveHint ? ' Ends or discards something.' : '',
    annotations.idempotentHint && !annotations.readOnlyHint ? ' Twice has the effect of once.' : '',
  ].join('');
}
