// One answer of the scripted model, including wire faults.
import type { ScriptStep } from '../../runner/backends/fake/script.ts';

/** Token counts of the Messages API. */
interface ModelTokens {
  readonly input_tokens: number;
  readonly output_tokens: number;
  readonly cache_read_input_tokens: number;
  readonly cache_creation_input_tokens: number;
}

/** The scripted model's answer to one request. */
export interface ModelStep extends ScriptStep {
  /** Milliseconds between the pieces of a text. */
  readonly chunkMs?: number;
  /** Headers of a failure, such as `retry-after`. */
  readonly headers?: Readonly<Record<string, string>>;
  /** `error.type` of a failure; by default the one that belongs to the status. */
  readonly errType?: string;
  /** Breaks the connection: before the answer, in the middle of its text, or before its closing event. */
  readonly cut?: 'start' | 'mid' | 'preend';
  /** A line in the stream that is not JSON. */
  readonly malformed?: boolean;
  /** An `error` event of this type within the stream. */
  readonly sseError?: string;
  readonly usage?: Partial<ModelTokens>;
  /** `stop_reason`; by default `tool_use` after tools and `end_turn` otherwise. */
  readonly stop?: string;
}

/** A content block of an answer. */
export type ContentBlock =
  | { readonly type: 'thinking'; readonly thinking: string; readonly signature: string }
  | { readonly type: 'text'; readonly text: string }
  | {
      readonly type: 'tool_use';
      readonly id: string;
      readonly name: string;
      readonly input: Readonly<Record<string, unknown>>;
    };

/** The content blocks of a step. `newId` creates the ids of tool calls, which must be unique in a conversation. */
export function contentOf(step: ModelStep, newId: () => string): readonly ContentBlock[] {
  const blocks: ContentBlock[] = [];
  if (step.thinking !== undefined)
    blocks.push({ type: 'thinking', thinking: step.thinking, signature: 'c2NyaXB0ZWQ=' });
  if (step.text !== undefined) blocks.push({ type: 'text', text: step.text });
  const single = step.tool === undefined ? [] : [{ tool: step.tool, input: step.input ?? {} }];
  for (const { tool, input } of step.tools ?? single) {
    blocks.push({ type: 'tool_use', id: newId(), name: tool, input: input ?? {} });
  }
  return blocks.length > 0 ? blocks : [{ type: 'text', text: '(empty step)' }];
}
