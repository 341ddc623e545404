// The cost in a result of Claude Code. Pure.
import type { Cost, ModelUsage } from '../../../contract/wire/turns.ts';
import type { ResultMessage } from './protocol.ts';

/**
 * The cost since the previous result. The totals in a result cannot be used: they include inherited costs of a resumed
 * session and lack what a killed program had not saved.
 */
export function costOf(result: ResultMessage): Cost {
  const byModel: Record<string, ModelUsage> = {};
  let usd = 0;
  for (const [model, usage] of Object.entries(result.model_usage_since_last_result ?? {})) {
    byModel[model] = {
      input_tokens: usage.inputTokens ?? 0,
      output_tokens: usage.outputTokens ?? 0,
      cache_read_tokens: usage.cacheReadInputTokens ?? 0,
      cache_write_tokens: usage.cacheCreationInputTokens ?? 0,
      usd: usage.costUSD ?? 0,
    };
    usd += usage.costUSD ?? 0;
  }
  return { usd, by_model: byModel };
}
