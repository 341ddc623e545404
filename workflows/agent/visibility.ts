// What Temporal itself shows of an agent: search attributes for lists, current details in the Web UI.
import { setCurrentDetails, upsertSearchAttributes } from '@temporalio/workflow';
import { SearchAttributeType, defineSearchAttributeKey } from '@temporalio/common';
import type { AgentSpec } from '../../contract/wire/agent.ts';
import { SEARCH_ATTRIBUTES } from '../../contract/wire/messages.ts';
import { detailsOf } from './details.ts';
import type { AgentState } from './state.ts';

const PHASE = defineSearchAttributeKey(SEARCH_ATTRIBUTES.phase, SearchAttributeType.KEYWORD);

/**
 * Brings Temporal's view up to date. The search attribute is upserted only when the phase differs from the one that is
 * shown: called where a phase lasts, and not between back-to-back turns, that is once for each lasting change.
 */
export function showState(state: AgentState, spec: AgentSpec): void {
  showDetails(state, spec);
  if (state.phase === state.shown_phase) return;
  state.shown_phase = state.phase;
  upsertSearchAttributes([{ key: PHASE, value: state.phase }]);
}

/** Only the details: costs no history event. */
export function showDetails(state: AgentState, spec: AgentSpec): void {
  setCurrentDetails(detailsOf(state, spec));
}
