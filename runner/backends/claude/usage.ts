// Estimates the usage of a running turn, message by message. Pure.
import type { Cost } from '../../../contract/wire/turns.ts';
import { addCost, NO_COST } from '../../../contract/wire/cost.ts';
import type { MessageTokens } from './prices.ts';
import { messageCost } from './prices.ts';
import type { AssistantMessage, MessageBlock } from './protocol.ts';

/** Average characters per token of models' output, prose and code. */
const CHARACTERS_PER_TOKEN = 3.5;

interface CountedMessage {
  readonly model: string;
  readonly tokens: MessageTokens;
  /** Characters written so far. */
  readonly written: number;
}

/**
 * Counts the messages of a turn, including those of subagents, until a result reports the real cost. Input tokens are
 * exact. The program reports a message before its end, with the output tokens of its beginning. So output is estimated
 * from the text.
 */
export class UsageCount {
  readonly #messages = new Map<string, CountedMessage>();

  /** Counts a message, or the next block of one. True for a new message. */
  take({ message }: AssistantMessage): boolean {
    const { id, model, usage, content } = message;
    if (id === undefined || model === undefined || usage === undefined) return false;
    const before = this.#messages.get(id);
    const written = (before?.written ?? 0) + content.reduce((sum, block) => sum + writtenIn(block), 0);
    this.#messages.set(id, { model, tokens: usage, written });
    return before === undefined;
  }

  /** The estimated cost of the messages since the last `settle`. */
  cost(): Cost {
    return [...this.#messages.values()].reduce((sum, { model, tokens, written }) => {
      const output = Math.max(tokens.output_tokens ?? 0, Math.ceil(written / CHARACTERS_PER_TOKEN));
      return addCost(sum, messageCost(model, { ...tokens, output_tokens: output }));
    }, NO_COST);
  }

  /** Forgets the messages, because their real cost is known. */
  settle(): void {
    this.#messages.clear();
  }
}

function writtenIn(block: MessageBlock): number {
  switch (block.type) {
    case 'text':
      return block.text.length;
    case 'thinking':
      return block.thinking.length;
    case 'tool_use':
      return JSON.stringify(block.input ?? {}).length;
    default:
      return 0;
  }
}
