// Reads what agents of one budget tell each other. Only Murmur's own workflows send it; anything else is dropped, as it
// may come from Temporal's Web UI. Pure: contract/wire only.
import type { BudgetGrant, BudgetNotice, BudgetRequest } from '../../contract/wire/budget.ts';

/** Undefined for anything else. */
export function readBudgetRequest(payload: unknown): BudgetRequest | undefined {
  const isWhole =
    has(payload, ['slug', 'spawn_id'], 'string') &&
    has(payload, ['number', 'keep_usd', 'want_usd', 'spent_usd'], 'number');
  return isWhole ? (payload as BudgetRequest) : undefined;
}

/** Undefined for anything else. */
export function readBudgetGrant(payload: unknown): BudgetGrant | undefined {
  return has(payload, ['number', 'allowance_usd'], 'number') ? (payload as BudgetGrant) : undefined;
}

/** Undefined for anything else. */
export function readBudgetNotice(payload: unknown): BudgetNotice | undefined {
  const isWhole = has(payload, ['path'], 'string') && has(payload, ['limit_usd', 'used_usd'], 'number');
  return isWhole ? (payload as BudgetNotice) : undefined;
}

function has(payload: unknown, fields: readonly string[], type: 'string' | 'number'): boolean {
  if (typeof payload !== 'object' || payload === null) return false;
  const values = payload as Readonly<Record<string, unknown>>;
  // An amount that is no number would spoil every sum after it.
  return fields.every((field) => typeof values[field] === type && !Number.isNaN(values[field]));
}
