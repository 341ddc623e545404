// Messages between the agents of one budget. Loaded by the workflow sandbox: types only. Amounts are US dollars.

/** A limit, and the agent that owns it. */
export interface BudgetLimit {
  /** Absolute path. */
  readonly path: string;
  readonly limit_usd: number;
}

/** From a child to its parent: the amount that it keeps and the amount that it asks for. */
export interface BudgetRequest {
  readonly slug: string;
  readonly spawn_id: string;
  /** From 1, increasing. */
  readonly number: number;
  /** The amount that it keeps in total: at least what it has spent plus the allowances of its own children. */
  readonly keep_usd: number;
  /** The amount that it asks for beyond that; 0 if it only returns money. */
  readonly want_usd: number;
  /** Spent by the child and its descendants. */
  readonly spent_usd: number;
  /** Its own limit, the most that it can use in total. */
  readonly most_usd?: number;
}

/** From a parent to its child: the child's allowance. */
export interface BudgetGrant {
  /** Number of the answered request; 0 if it answers none. */
  readonly number: number;
  /** In total, including what the child has spent. */
  readonly allowance_usd: number;
  /** Set if the limit has no money left now. The next grant then comes without a request. */
  readonly refused_by?: BudgetLimit;
}

/** From a parent to its children: most of a limit is used. */
export interface BudgetNotice extends BudgetLimit {
  readonly used_usd: number;
}

/** Usage of a running turn, reported at the thresholds that the workflow sets. */
export interface UsageReport {
  readonly turn_id: string;
  /** Of the whole turn so far, estimated. */
  readonly used_usd: number;
}

/** The budget as `status` shows it. */
export interface BudgetView {
  /** The agent's own limit for its subtree. */
  readonly limit_usd?: number;
  /** What its parent has granted so far from a budget above it. */
  readonly allowance_usd?: number;
  /** Used by the agent and its descendants, including the running turn. */
  readonly used_usd: number;
  /** Granted to its living children. */
  readonly granted_usd: number;
}
