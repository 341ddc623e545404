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
import { absolutePathOf, workflowIdOf } from '../../contract/wire/identity.ts';
import { isTerminal } from '../../contract/wire/phases.ts';
import { budgetView } from './budget/spending.ts';
import { childrenCost, childViews } from './children/children.ts';
import type { AgentState } from './state.ts';
import { timelineOf } from './timeline.ts';
import { listTasks, openTasks } from './turn/checklist.ts';
import { hasInput, waitingHeads } from './turn/queue.ts';

/** The agent as the status query returns it. */
export function statusOf(state: AgentState, spec: AgentSpec, query: StatusQueryInput = {}): AgentStatus {
  const { identity } = spec;
  const { turn } = state;
  const tasks = listTasks(state.tasks);
  const ended = isTerminal(state.phase);
  const waiting = waitingHeads(state);
  return {
    slug: identity.path.join('/'),
    workspace: identity.workspace,
    account: identity.account,
    path: absolutePathOf(identity),
    workflow: workflowIdOf(identity),
    phase: state.phase,
    phase_since: state.phase_since,
    ...defined({
      reason: state.reason,
      parked: ended ? undefined : state.parked,
      purpose: spec.purpose,
      model: spec.model,
      out: spec.out,
    }),
    on_idle: spec.on_idle,
    dequeue_strategy: state.strategy,
    ...defined({ working_on: state.working_on }),
    queued: ended ? [] : waiting,
    ...defined({
      vm: state.vm,
      turn:
        turn === undefined
          ? undefined
          : { number: turn.number, id: turn.id, running: turn.running, started_at: turn.started_at },
      saved_turn: state.saved_turn,
      response: state.response,
    }),
    branches: state.branches,
    commits: state.commits,
    prs: [],
    cost: {
      total_usd: state.cost.usd + childrenCost(state),
      own_usd: state.cost.usd,
      children_usd: childrenCost(state),
      by_model: state.cost.by_model,
    },
    ...defined({ budget: budgetView(state) }),
    ...(query.children !== true ? {} : { children: childViews(state) }),
    tasks: { total: tasks.length, open: openTasks(tasks).length },
    ...(query.timeline === undefined ? {} : { timeline: timelineOf(state.timeline, query.timeline) }),
    created_at: spec.created_at,
    ...defined({ ended_at: state.ended_at, undelivered: ended && waiting.length > 0 ? waiting : undefined }),
    pending_input: !ended && (hasInput(state) || turn?.running === true || state.assessing !== undefined),
  };
}

/** The record of the agent, from a state in its final phase. */
export function recordOf(state: AgentState, spec: AgentSpec): AgentRecord {
  const { identity, spawn_id, repos, backend, created_at } = spec;
  const { session_id = spec.session_id } = state;
  return {
    status: statusOf(state, spec, { timeline: TIMELINE_TYPES, children: true }),
    tasks: listTasks(state.tasks),
    spec: { identity, spawn_id, repos, session_id, backend, created_at },
  };
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
