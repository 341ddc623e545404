// Prices of Claude's models, to estimate a running turn: the program reports the cost only at the turn's end. The
// figures are those of the tested version of the program. Pure.
import type { Cost, ModelUsage } from '../../../contract/wire/turns.ts';

/** Tokens of one model message, as the Messages API counts them. */
export interface MessageTokens {
  readonly input_tokens?: number;
  readonly output_tokens?: number;
  readonly cache_read_input_tokens?: number;
  readonly cache_creation_input_tokens?: number;
}

/** US dollars per million tokens. */
interface Price {
  readonly input: number;
  readonly output: number;
  readonly cacheRead: number;
  readonly cacheWrite: number;
}

/** Newer models first: the first entry that is a prefix of a model's name applies. */
const PRICES: readonly (readonly [string, Price])[] = [
  ['claude-fable-5', { input: 8, output: 40, cacheRead: 0.2, cacheWrite: 10 }],
  ['claude-opus-5-5', { input: 4, output: 20, cacheRead: 0.2, cacheWrite: 5 }],
  ['claude-sonnet-5-5', { input: 2, output: 10, cacheRead: 0.1, cacheWrite: 2.5 }],
  ['claude-haiku-5', { input: 0.1, output: 0.5, cacheRead: 0.01, cacheWrite: 0.125 }],
  ['claude-opus', { input: 5, output: 25, cacheRead: 0.5, cacheWrite: 6.25 }],
  ['claude-sonnet-5', { input: 2, output: 10, cacheRead: 0.2, cacheWrite: 2.5 }],
  ['claude-sonnet', { input: 3, output: 15, cacheRead: 0.3, cacheWrite: 3.75 }],
  ['claude-haiku', { input: 1, output: 5, cacheRead: 0.1, cacheWrite: 1.25 }],
];

/** The program uses the price of its default model for unknown ones. */
const UNKNOWN: Price = { input: 4, output: 20, cacheRead: 0.2, cacheWrite: 5 };

const MILLION = 1_000_000;

/** The cost of a message. Long-context prompts cost more; the figure at the turn's end corrects it. */
export function messageCost(model: string, tokens: MessageTokens): Cost {
  const price = PRICES.find(([name]) => model.startsWith(name))?.[1] ?? UNKNOWN;
  const usage: Omit<ModelUsage, 'usd'> = {
    input_tokens: tokens.input_tokens ?? 0,
    output_tokens: tokens.output_tokens ?? 0,
    cache_read_tokens: tokens.cache_read_input_tokens ?? 0,
    cache_write_tokens: tokens.cache_creation_input_tokens ?? 0,
  };
  const usd =
    (usage.input_tokens * price.input +
      usage.output_tokens * price.output +
      usage.cache_read_tokens * price.cacheRead +
      usage.cache_write_tokens * price.cacheWrite) /
    MILLION;
  return { usd, by_model: { [model]: { ...usage, usd } } };
}
