// The outcome of a turn that observed nothing. Imports the contract only.
import { NO_COST } from '../../contract/wire/cost.ts';
import type { RunnerTurnOutcome } from '../../contract/wire/runner.ts';
import type { TurnStatus } from '../../contract/wire/turns.ts';

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
