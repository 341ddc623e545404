// Parses requests to the scripted model, for scripts and tests.
import type { IncomingHttpHeaders } from 'node:http';

/** A message of the conversation, with its text blocks joined. */
interface ModelMessage {
  readonly role: string;
  readonly text: string;
}

/** The result of a tool. */
interface ToolResult {
  readonly tool_use_id: string;
  readonly text: string;
  readonly is_error: boolean;
}

/** One `POST /v1/messages`. */
export interface ModelRequest {
  /** From 1, in order of arrival at this server. */
  readonly number: number;
  /** When all of it had arrived, in milliseconds since the epoch. */
  readonly at: number;
  /** When the first byte of the answer was written, and when the answer ended; absent until then. */
  firstByteAt?: number;
  endedAt?: number;
  readonly headers: IncomingHttpHeaders;
  /** Its key or bearer token. */
  readonly credential: string | undefined;
  /** Id of the agent program's session; empty if the request has none. */
  readonly session: string;
  readonly model: string;
  /** All blocks of the system prompt. */
  readonly system: string;
  /** Names of the available tools. */
  readonly tools: readonly string[];
  readonly messages: readonly ModelMessage[];
  /** The newest text of the user, without the agent program's `<system-reminder>` parts. */
  readonly prompt: string;
  /** Results of the tools that the last answer called; empty if it called none. */
  readonly toolResults: readonly ToolResult[];
  /** Answers given since `prompt`: 0 for the first request of a turn. */
  readonly step: number;
  /** The body as received. */
  readonly body: Readonly<Record<string, unknown>>;
}

/** Parses a request. Missing fields are empty, so that the server accepts everything that a real one would. */
export function readRequest(
  number: number,
  headers: IncomingHttpHeaders,
  body: Readonly<Record<string, unknown>>,
): ModelRequest {
  const raw = list(body['messages']);
  const messages = raw.map((message) => ({ role: String(message['role']), text: textOf(message['content']) }));
  const promptAt = messages.findLastIndex(({ role, text }) => role === 'user' && withoutReminders(text) !== '');
  return {
    number,
    at: Date.now(),
    headers,
    credential: credentialOf(headers),
    session: String(headers['x-claude-code-session-id'] ?? ''),
    model: typeof body['model'] === 'string' ? body['model'] : '',
    system: textOf(body['system']),
    tools: list(body['tools']).map((tool) => String(tool['name'] ?? tool['type'])),
    messages,
    prompt: withoutReminders(messages[promptAt]?.text ?? ''),
    toolResults: list(raw.findLast((message) => message['role'] === 'user')?.['content'])
      .filter((block) => block['type'] === 'tool_result')
      .map((block) => ({
        tool_use_id: String(block['tool_use_id']),
        text: textOf(block['content']),
        is_error: block['is_error'] === true,
      })),
    step: messages.slice(promptAt + 1).filter(({ role }) => role === 'assistant').length,
    body,
  };
}

type Json = Readonly<Record<string, unknown>>;

/** The objects of a JSON list; empty for any other value. */
function list(value: unknown): readonly Json[] {
  return Array.isArray(value) ? value.filter((item): item is Json => typeof item === 'object' && item !== null) : [];
}

/** The text of a content: a string, or the blocks of type text. */
function textOf(content: unknown): string {
  if (typeof content === 'string') return content;
  return list(content)
    .filter((block) => block['type'] === 'text')
    .map((block) => String(block['text']))
    .join('\n');
}

function withoutReminders(text: string): string {
  return text.replace(/<system-reminder>[\s\S]*?<\/system-reminder>/g, '').trim();
}

function credentialOf(headers: IncomingHttpHeaders): string | undefined {
  const key = headers['x-api-key'];
  if (typeof key === 'string') return key;
  return headers.authorization?.replace(/^Bearer /, '');
}
