// What agents of one budget tell each other. Loaded by the workflow sandbox: types only. Amounts are US dollars.

/** A limit, and the agent that has it. */
export interface BudgetLimit {
  /** Absolute path. */
  readonly path: string;
  readonly limit_usd: number;
}

/** A child tells its parent what it keeps of its allowance, and what it wants beside. */
export interface BudgetRequest {
  readonly slug: string;
  readonly spawn_id: string;
  /** From 1, growing. */
  readonly number: number;
  /** What it keeps, in all: at least what it has spent and what its own children hold. */
  readonly keep_usd: number;
  /** What it wants on top; 0 when it only gives back. */
  readonly want_usd: number;
  /** What it and everything beneath it has spent. */
  readonly spent_usd: number;
  /** Its own limit: it can use no more in all. */
  readonly most_usd?: number;
}

/** A parent tells its child what it may spend. */
export interface BudgetGrant {
  /** Of the request that it answers; 0 when the child has not asked. */
  readonly number: number;
  /** In all, what it has spent included. */
  readonly allowance_usd: number;
  /** Set when nothing is left for now: the next grant comes unasked. */
  readonly refused_by?: BudgetLimit;
}

/** Most of a limit is used. */
export interface BudgetNotice extends BudgetLimit {
  readonly used_usd: number;
}

/** What a running turn has used, told at the marks that the workflow has set. */
export interface UsageReport {
  readonly turn_id: string;
  /** Of the whole turn so far, estimated until its end. */
  readonly used_usd: number;
}

/** The budget as `status` shows it. */
export interface BudgetView {
  /** The agent's own limit for its subtree. */
  readonly limit_usd?: number;
  /** What its parent has granted so far, out of a budget higher up. */
  readonly allowance_usd?: number;
  /** What it and everything beneath it has used, the running turn included. */
  readonly used_usd: number;
  /** What its living children hold. */
  readonly granted_usd: number;
}
