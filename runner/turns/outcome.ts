// The outcome of a turn that observed nothing. Imports the contract only.
import type { RunnerTurnOutcome } from '../../contract/wire/runner.ts';
import type { Cost, TurnStatus } from '../../contract/wire/turns.ts';

export const NO_COST: Cost = { usd: 0, by_model: {} };

/** An outcome without response, cost, changes and branches. */
export function emptyOutcome(turnId: string, status: TurnStatus): RunnerTurnOutcome {
  return {
    turn_id: turnId,
    status,
    response: '',
    cost: NO_COST,
    files_modified: [],
    commits: [],
    pushes: [],
    branches: [],
  };
}
