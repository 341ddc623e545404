// What Temporal's Web UI shows of an agent beside its history. Pure: contract/wire only.
import type { AgentSpec } from '../../contract/wire/agent.ts';
import { openTasks, listTasks } from './turn/checklist.ts';
import type { AgentState } from './state.ts';

/**
 * The agent in Markdown, for `setCurrentDetails`. In the clear for whoever looks: no prompt, no answer. It names the agent as
 * well: the summary that a workflow is started with is not carried over when it continues as new.
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
