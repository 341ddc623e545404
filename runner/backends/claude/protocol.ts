// The part of Claude Code's stream-json protocol that the backend uses. Fields that some versions lack are optional.
// Types, and the functions that read and write lines.

import type { MessageTokens } from './prices.ts';

/** A content block of an assistant's or user's message. */
export type MessageBlock =
  | { readonly type: 'text'; readonly text: string }
  | { readonly type: 'thinking'; readonly thinking: string }
  | { readonly type: 'tool_use'; readonly id: string; readonly name: string; readonly input: unknown }
  | {
      readonly type: 'tool_result';
      readonly tool_use_id: string;
      readonly content?: string | readonly { readonly type: string; readonly text?: string }[];
      readonly is_error?: boolean;
    };

/** Tokens and dollars of one model, with the program's field names. */
interface ProgramUsage {
  readonly inputTokens?: number;
  readonly outputTokens?: number;
  readonly cacheReadInputTokens?: number;
  readonly cacheCreationInputTokens?: number;
  readonly costUSD?: number;
}

interface InitMessage {
  readonly type: 'system';
  readonly subtype: 'init';
  readonly session_id: string;
  readonly model: string;
  readonly claude_code_version?: string;
}

export interface ApiRetryMessage {
  readonly type: 'system';
  readonly subtype: 'api_retry';
  readonly attempt: number;
  readonly max_retries: number;
  readonly retry_delay_ms: number;
  /** Null when there was no HTTP answer. */
  readonly error_status: number | null;
  readonly error: string;
}

interface StateMessage {
  readonly type: 'system';
  readonly subtype: 'session_state_changed';
  readonly state: string;
}

export interface AssistantMessage {
  readonly type: 'assistant';
  readonly message: {
    readonly content: readonly MessageBlock[];
    /** The same for all blocks of one message. */
    readonly id?: string;
    readonly model?: string;
    readonly usage?: MessageTokens;
  };
  /** The tool call that started the subagent which wrote the message; null for the agent itself. */
  readonly parent_tool_use_id?: string | null;
  /** Set on text that the program itself writes after a failed model request. */
  readonly error?: string;
  readonly is_api_error_message?: boolean;
}

export interface UserMessage {
  readonly type: 'user';
  readonly message: { readonly content: string | readonly MessageBlock[] };
  readonly parent_tool_use_id?: string | null;
  /**
   * The tool's result in the program's own form; a string for a failed tool. Used for output too long for the model.
   */
  readonly tool_use_result?: string | { readonly persistedOutputSize?: number };
}

/** The end of a request. There is not one per user line: see TurnEndDetector. */
export interface ResultMessage {
  readonly type: 'result';
  readonly subtype: string;
  readonly is_error: boolean;
  readonly result?: string;
  /** With `--json-schema`: the model's answer, if it matches the schema. */
  readonly structured_output?: unknown;
  readonly errors?: readonly string[];
  readonly terminal_reason?: string;
  readonly api_error_status?: number | null;
  readonly api_error_type?: string;
  readonly user_message_uuids?: readonly string[];
  readonly model_usage_since_last_result?: Readonly<Record<string, ProgramUsage>>;
}

interface CommandLifecycleMessage {
  readonly type: 'command_lifecycle';
  readonly command_uuid: string;
  readonly state: 'queued' | 'started' | 'completed' | 'cancelled';
}

/** Sent for subscriptions only. */
interface RateLimitMessage {
  readonly type: 'rate_limit_event';
  readonly rate_limit_info: {
    readonly status: string;
    /** Seconds since the epoch. */
    readonly resetsAt?: number;
  };
}

export interface ControlResponseMessage {
  readonly type: 'control_response';
  readonly response: {
    readonly subtype: 'success' | 'error';
    readonly request_id: string;
    readonly response?: unknown;
    readonly error?: string;
  };
}

/** A request of the program. The backend answers hook callbacks and rejects all others. */
export interface ControlRequestMessage {
  readonly type: 'control_request';
  readonly request_id: string;
  readonly request?: {
    readonly subtype: string;
    /** Input of a hook. */
    readonly input?: {
      readonly hook_event_name?: string;
      readonly tool_use_id?: string;
      /** The subagent that used the tool; absent for the agent itself. */
      readonly agent_id?: string;
    };
  };
}

/** Hook event of the program → its callbacks. */
export type HookMatchers = Readonly<Record<string, readonly { readonly hookCallbackIds: readonly string[] }[]>>;

export type ProgramMessage =
  | InitMessage
  | ApiRetryMessage
  | StateMessage
  | AssistantMessage
  | UserMessage
  | ResultMessage
  | CommandLifecycleMessage
  | RateLimitMessage
  | ControlResponseMessage
  | ControlRequestMessage;

/** Control requests that we send. */
export type ControlRequest =
  | { readonly subtype: 'get_binary_version' }
  | { readonly subtype: 'initialize'; readonly appendSystemPrompt?: string; readonly hooks?: HookMatchers }
  | { readonly subtype: 'interrupt'; readonly cancel_queued: true };

/** A line to the program. Invalid JSON would end the program, so all lines go through `writeLine`. */
export type InputMessage =
  | {
      readonly type: 'user';
      readonly message: { readonly role: 'user'; readonly content: readonly MessageBlock[] };
      readonly parent_tool_use_id: null;
      readonly uuid: string;
      readonly client_composed: true;
    }
  | { readonly type: 'control_request'; readonly request_id: string; readonly request: ControlRequest }
  | { readonly type: 'control_response'; readonly response: object };

/** A prompt. With `client_composed`, the program does not run a prompt that begins with a slash as a command. */
export function userLine(uuid: string, prompt: string): InputMessage {
  return {
    type: 'user',
    message: { role: 'user', content: [{ type: 'text', text: prompt.toWellFormed() }] },
    parent_tool_use_id: null,
    uuid,
    client_composed: true,
  };
}

/** Parses a line of the program. Undefined for other output: a stray print must not end the session. */
export function readMessage(line: string): ProgramMessage | undefined {
  try {
    const message: unknown = JSON.parse(line);
    const isMessage = typeof message === 'object' && message !== null && 'type' in message;
    return isMessage ? (message as ProgramMessage) : undefined;
  } catch {
    return undefined;
  }
}

/** Writes a message as one line. */
export function writeLine(message: InputMessage): string {
  return `${JSON.stringify(message)}\n`;
}
