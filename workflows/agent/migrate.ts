// The state between two runs. Pure: contract/wire only.
import type { AgentSpec } from '../../contract/wire/agent.ts';
import type { AgentState } from './state.ts';
import { family } from './transitions.ts';

/** The state of the run before, also of one that knew nothing of families and budgets. */
export function takenOver(carried: AgentState, spec: AgentSpec): AgentState {
  return { ...family(spec), ...carried };
}

/** The state as the next run takes it over. */
export function carriedState(state: AgentState): AgentState {
  return { ...state, run: { turns: 0, signals: 0 } };
}
