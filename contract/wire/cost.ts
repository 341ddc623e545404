// Sums of cost deltas. Loaded by the workflow sandbox: types and pure functions only.
import type { Cost, ModelUsage } from './turns.ts';

/** No usage. */
export const NO_COST: Cost = { usd: 0, by_model: {} };

/** The sum of two costs, model by model. */
export function addCost(a: Cost, b: Cost): Cost {
  const byModel: Record<string, ModelUsage> = { ...a.by_model };
  for (const [model, usage] of Object.entries(b.by_model)) {
    const before = byModel[model];
    byModel[model] = before === undefined ? usage : addUsage(before, usage);
  }
  return { usd: a.usd + b.usd, by_model: byModel };
}

function addUsage(a: ModelUsage, b: ModelUsage): ModelUsage {
  return {
    input_tokens: a.input_tokens + b.input_tokens,
    output_tokens: a.output_tokens + b.output_tokens,
    cache_read_tokens: a.cache_read_tokens + b.cache_read_tokens,
    cache_write_tokens: a.cache_write_tokens + b.cache_write_tokens,
    usd: a.usd + b.usd,
  };
}

/** Whether anything was used. An answer of a free model has tokens but costs nothing. */
export function isSpent(cost: Cost): boolean {
  return cost.usd > 0 || Object.keys(cost.by_model).length > 0;
}
