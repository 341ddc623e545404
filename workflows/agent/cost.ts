// Sums of costs. Pure: contract/wire only.
import type { Cost, ModelUsage } from '../../contract/wire/turns.ts';

/** Nothing spent. */
export const NO_COST: Cost = { usd: 0, by_model: {} };

/** The sum of two costs, per model. */
export function addCost(sum: Cost, delta: Cost): Cost {
  const byModel: Record<string, ModelUsage> = { ...sum.by_model };
  for (const [model, usage] of Object.entries(delta.by_model)) {
    const before = byModel[model];
    byModel[model] = before === undefined ? usage : addUsage(before, usage);
  }
  return { usd: sum.usd + delta.usd, by_model: byModel };
}

function addUsage(sum: ModelUsage, delta: ModelUsage): ModelUsage {
  return {
    input_tokens: sum.input_tokens + delta.input_tokens,
    output_tokens: sum.output_tokens + delta.output_tokens,
    cache_read_tokens: sum.cache_read_tokens + delta.cache_read_tokens,
    cache_write_tokens: sum.cache_write_tokens + delta.cache_write_tokens,
    usd: sum.usd + delta.usd,
  };
}
