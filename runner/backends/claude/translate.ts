// Translates the program's messages into events. Pure.
import type { BackendEvent } from '../backend.ts';
import { eventText } from '../event-text.ts';
import type { ApiRetryMessage, AssistantMessage, MessageBlock, UserMessage } from './protocol.ts';

/** Events for a message of the agent or a subagent. Empty for the program's own text about a failed request. */
export function assistantEvents(message: AssistantMessage): readonly BackendEvent[] {
  if (isProgramsOwn(message)) return [];
  const speaker = subagentOf(message);
  return blocksOf(message).flatMap((block): readonly BackendEvent[] => {
    switch (block.type) {
      case 'text':
        return block.text === '' ? [] : [{ type: 'assistant_text', text: eventText(block.text).text, ...speaker }];
      case 'thinking':
        return block.thinking === '' ? [] : [{ type: 'thinking', text: eventText(block.thinking).text, ...speaker }];
      case 'tool_use':
        return [
          {
            type: 'tool_use',
            tool: block.name,
            tool_use_id: block.id,
            input: eventText(JSON.stringify(block.input ?? {})).text,
            ...speaker,
          },
        ];
      default:
        return [];
    }
  });
}

/** Events for tool results. Other user messages are echoes, or the program's reminders to the model. */
export function toolResultEvents(message: UserMessage): readonly BackendEvent[] {
  const speaker = subagentOf(message);
  const results = blocksOf(message).filter((block) => block.type === 'tool_result');
  // The program saves a long output to a file and gives the model its head. `tool_use_result` has the whole size.
  const { tool_use_result: told } = message;
  const wholeBytes = typeof told === 'object' && results.length === 1 ? told.persistedOutputSize : undefined;
  return results.map((block) => ({
    type: 'tool_result',
    tool_use_id: block.tool_use_id,
    ...eventText(resultText(block)),
    ...(wholeBytes === undefined ? {} : { whole_bytes: wholeBytes }),
    is_error: block.is_error === true,
    ...speaker,
  }));
}

/** The event of a retry. */
export function retryEvent(message: ApiRetryMessage): BackendEvent {
  return {
    type: 'retry',
    attempt: message.attempt,
    max_attempts: message.max_retries,
    delay_ms: Math.round(message.retry_delay_ms),
    ...(message.error_status === null ? {} : { http_status: message.error_status }),
    error: message.error,
  };
}

/** The agent's own text in a message, in full; undefined without text or for a subagent's message. */
export function spokenText(message: AssistantMessage): string | undefined {
  if (isProgramsOwn(message) || typeof message.parent_tool_use_id === 'string') return undefined;
  const texts = blocksOf(message).flatMap((block) => (block.type === 'text' ? [block.text] : []));
  return texts.length === 0 ? undefined : texts.join('\n');
}

function isProgramsOwn(message: AssistantMessage): boolean {
  return message.error !== undefined || message.is_api_error_message === true;
}

function blocksOf(message: AssistantMessage | UserMessage): readonly MessageBlock[] {
  const { content } = message.message;
  return Array.isArray(content) ? (content as readonly MessageBlock[]) : [];
}

function subagentOf(message: AssistantMessage | UserMessage): { readonly subagent?: string } {
  return typeof message.parent_tool_use_id === 'string' ? { subagent: message.parent_tool_use_id } : {};
}

function resultText(block: Extract<MessageBlock, { type: 'tool_result' }>): string {
  if (typeof block.content === 'string') return block.content;
  return (block.content ?? []).map((part) => part.text ?? `[${part.type}]`).join('\n');
}
