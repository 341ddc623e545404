// Views of the state: the status query, the record of an ended agent, the workflow's result. Pure: contract/wire only.
import type {
  AgentRecord,
  AgentResult,
  AgentSpec,
  AgentStatus,
  ReceiptLine,
  StatusQueryInput,
} from '../../contract/wire/agent.ts';
import { defined } from '../../contract/wire/defined.ts';
import { TIMELINE_TYPES } from '../../contract/wire/events.ts';
import { absolutePathOf } from '../../contract/wire/identity.ts';
import { isTerminal } from '../../contract/wire/phases.ts';
import { agentRecord, agentStatus } from '../../contract/wire/status.ts';
import { budgetView } from './budget/spending.ts';
import { childrenCost, childViews } from './children/children.ts';
import type { AgentState } from './state.ts';
import { timelineOf } from './timeline.ts';
import { listTasks, openTasks } from './turn/checklist.ts';
import { hasInput, waitingHeads } from './turn/queue.ts';

/** The agent as the status query returns it. */
export function statusOf(state: AgentState, spec: AgentSpec, query: StatusQueryInput = {}): AgentStatus {
  const { turn } = state;
  const tasks = listTasks(state.tasks);
  const ended = isTerminal(state.phase);
  const waiting = waitingHeads(state);
  return agentStatus(spec, {
    phase: state.phase,
    phase_since: state.phase_since,
    reason: state.reason,
    parked: ended ? undefined : state.parked,
    dequeue_strategy: state.strategy,
    working_on: state.working_on,
    queued: ended ? [] : waiting,
    vm: state.vm,
    turn: turn && { number: turn.number, id: turn.id, running: turn.running, started_at: turn.started_at },
    saved_turn: state.saved_turn,
    response: state.response,
    branches: state.branches,
    commits: state.commits,
    cost: {
      total_usd: state.cost.usd + childrenCost(state),
      own_usd: state.cost.usd,
      children_usd: childrenCost(state),
      by_model: state.cost.by_model,
    },
    budget: budgetView(state),
    children: query.children === true ? childViews(state) : undefined,
    tasks: { total: tasks.length, open: openTasks(tasks).length },
    timeline: query.timeline && timelineOf(state.timeline, query.timeline),
    ended_at: state.ended_at,
    undelivered: ended && waiting.length > 0 ? waiting : undefined,
    pending_input: !ended && (hasInput(state) || turn?.running === true || state.assessing !== undefined),
  });
}

/** The record of the agent, from a state in its final phase. */
export function recordOf(state: AgentState, spec: AgentSpec): AgentRecord {
  const { session_id = spec.session_id } = state;
  const status = statusOf(state, spec, { timeline: TIMELINE_TYPES, children: true });
  return agentRecord({ ...spec, session_id }, status, listTasks(state.tasks));
}

/** The result of the workflow, with the receipts of this agent and of the descendants that were killed with it. */
export function resultOf(
  state: AgentState,
  spec: AgentSpec,
  machineState: string,
  snapshot: string | undefined,
  descendants: readonly ReceiptLine[],
): AgentResult {
  return {
    phase: state.phase,
    ...defined({ reason: state.reason }),
    receipt: [
      {
        path: absolutePathOf(spec.identity),
        phase: state.phase,
        machine: spec.machine.name,
        machine_state: machineState,
        ...defined({ snapshot }),
        cost_usd: state.cost.usd,
      },
      ...descendants,
    ],
    cost: state.cost,
    total_usd: state.cost.usd + childrenCost(state),
  };
}
