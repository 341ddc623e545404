// What Temporal itself shows of an agent: search attributes in lists, current details in the Web UI.
import { defineSearchAttributeKey, SearchAttributeType } from '@temporalio/common';
import { setCurrentDetails, upsertSearchAttributes } from '@temporalio/workflow';
import type { AgentSpec } from '../../contract/wire/agent.ts';
import { SEARCH_ATTRIBUTES } from '../../contract/wire/messages.ts';
import type { AgentState } from './state.ts';
import { listTasks, openTasks } from './turn/checklist.ts';

const PHASE = defineSearchAttributeKey(SEARCH_ATTRIBUTES.phase, SearchAttributeType.KEYWORD);

/**
 * Updates Temporal's view. Upserts the search attribute only if the phase differs from the shown one. It is called
 * where a phase lasts, not between back-to-back turns, so each lasting change costs one upsert.
 */
export function showState(state: AgentState, spec: AgentSpec): void {
  showDetails(state, spec);
  if (state.phase === state.shown_phase) return;
  state.shown_phase = state.phase;
  upsertSearchAttributes([{ key: PHASE, value: state.phase }]);
}

/** Updates the details only, which costs no history event. */
export function showDetails(state: AgentState, spec: AgentSpec): void {
  setCurrentDetails(detailsOf(state, spec));
}

/**
 * The agent in Markdown, for `setCurrentDetails`. Not encrypted, so it has no prompt and no answer. It also names the
 * agent: continue-as-new does not carry over the summary that the workflow was started with.
 */
export function detailsOf(state: AgentState, spec: AgentSpec): string {
  const tasks = listTasks(state.tasks);
  const name = spec.identity.path.join('/');
  const lines: [string, string | undefined][] = [
    ['agent', spec.purpose === undefined ? name : `${name}: ${spec.purpose}`],
    ['phase', state.reason === undefined ? state.phase : `${state.phase} (${state.reason})`],
    ['turn', state.turn === undefined ? undefined : `${state.turn.number}${state.turn.running ? ' (running)' : ''}`],
    ['queued', String(state.sends.length + state.queue.length)],
    ['machine', `${spec.machine.name}${state.vm === undefined ? '' : ` [${state.vm.state}, ${state.vm.isolation}]`}`],
    ['cost', `$${state.cost.usd.toFixed(2)}`],
    ['tasks', tasks.length === 0 ? undefined : `${openTasks(tasks).length} of ${tasks.length} open`],
    ['branches', state.branches.length === 0 ? undefined : state.branches.map(branchText).join(', ')],
    ['retry at', state.parked?.retry_at],
  ];
  return lines
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => `- **${name}**: ${value}`)
    .join('\n');
}

function branchText({ branch, pushed }: { readonly branch: string; readonly pushed: boolean }): string {
  return `\`${branch}\`${pushed ? ' (pushed)' : ''}`;
}
