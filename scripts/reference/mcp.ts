// The reference page of the MCP tools.
import type { ToolDescription } from '../../contract/mcp-call.ts';
import { fence, HEAD, table, typeText } from './markdown.ts';

/** @param help the help of the command */
export function mcpPage(tools: readonly ToolDescription[], help: string): string {
  return `${[
    HEAD,
    '# MCP tools',
    'A coding agent uses Murmur through the tools of an MCP server. Each tool is an operation with the same name. The ' +
      'server is available on standard input and output and over HTTP, with the same answers.',
    '## Over standard input and output',
    fence('bash', 'claude mcp add murmur -- murmur mcp'),
    'The server calls the API server of `MURMUR_API_URL` with the token of `MURMUR_TOKEN`, by default those of the ' +
      'embedded stack. Workspace and model default to those of `.murmur/murmur.yaml`. A call without repositories ' +
      'starts an agent in an empty directory, while `murmur spawn` would use the current repository. On an ' +
      "agent's machine the server is registered already, and calls have the agent's rights.",
    fence('text', help),
    '## Over HTTP',
    fence('bash', 'claude mcp add --transport http murmur <api-url>/mcp --header "Authorization: Bearer <token>"'),
    'Streamable HTTP without sessions: each `POST /mcp` is independent, and closing its connection cancels the call. ' +
      'The tools are the same. A file that a field names (`path` of `upload`, `each` and `flight` of `spawn`) is read on ' +
      "the calling agent's machine, with the agent's rights; relative paths are relative to its working directory. " +
      "A person's files cannot be read over HTTP: such a call fails with FAILED_PRECONDITION. Use standard input and " +
      'output instead.',
    '## Answers',
    'A result contains the answer twice: as an object in `structuredContent`, and as text. The text is the same as JSON ' +
      'unless a tool says otherwise below. A failure is a result with `isError`. Its text begins with the code, and its ' +
      'structured content is `{"error": {code, message, hint, details}}`, as over HTTP. An unknown tool is a protocol ' +
      'error (-32602). A call with a `progressToken` gets a notification for every phase and step, and at least every 15 ' +
      'seconds, so that a client that counts its time limit from the last progress does not end a `wait`. Canceling a ' +
      'call ends it but does not undo its changes.',
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
    `Same answer as ${page}`,
    ...(result === undefined ? [] : [`, under \`${result}\` in structured content`]),
    ...(text === undefined ? [] : [`; the text is the answer's \`${text}\``]),
    '.',
    annotations.readOnlyHint ? ' Changes nothing.' : '',
    annotations.destructiveHint ? ' Ends or discards something.' : '',
    annotations.idempotentHint && !annotations.readOnlyHint ? ' A repeated call has no further effect.' : '',
  ].join('');
}
