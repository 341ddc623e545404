// The state of an agent as every surface shows it, and the record of an ended one. No other file builds either. Loaded
// by the workflow sandbox.
import type { AgentRecord, AgentSpec, AgentStatus } from './agent.ts';
import { defined } from './defined.ts';
import { absolutePathOf, workflowIdOf } from './identity.ts';

/** What a status says of how the agent was started. */
type Started = Pick<
  AgentSpec,
  'identity' | 'purpose' | 'model' | 'out' | 'on_idle' | 'dequeue_strategy' | 'created_at'
>;

/** What a status says of the agent itself. */
type Told = Omit<AgentStatus, 'slug' | 'workspace' | 'account' | 'path' | 'workflow' | keyof Started>;

/** What is known of an agent; what is left out or undefined is as before its first turn. */
export type KnownOfAgent = Pick<Told, 'phase' | 'phase_since' | 'pending_input'> & {
  readonly [Field in keyof Told | 'dequeue_strategy']?: AgentStatus[Field] | undefined;
};

/** The only maker of a status. */
export function agentStatus(spec: Started, known: KnownOfAgent): AgentStatus {
  const { identity } = spec;
  return {
    slug: identity.path.join('/'),
    workspace: identity.workspace,
    account: identity.account,
    path: absolutePathOf(identity),
    workflow: workflowIdOf(identity),
    phase: known.phase,
    phase_since: known.phase_since,
    ...defined({
      reason: known.reason,
      parked: known.parked,
      purpose: spec.purpose,
      model: spec.model,
      out: spec.out,
    }),
    on_idle: spec.on_idle,
    dequeue_strategy: known.dequeue_strategy ?? spec.dequeue_strategy,
    ...defined({ working_on: known.working_on }),
    queued: known.queued ?? [],
    ...defined({ vm: known.vm, turn: known.turn, saved_turn: known.saved_turn, response: known.response }),
    branches: known.branches ?? [],
    commits: known.commits ?? 0,
    prs: known.prs ?? [],
    cost: known.cost ?? { total_usd: 0, own_usd: 0, children_usd: 0, by_model: {} },
    ...defined({ budget: known.budget, children: known.children }),
    tasks: known.tasks ?? { total: 0, open: 0 },
    ...defined({ timeline: known.timeline }),
    created_at: spec.created_at,
    ...defined({ ended_at: known.ended_at, undelivered: known.undelivered }),
    pending_input: known.pending_input,
  };
}

/**
 * Builds a record. It has the fields of the spec that every reader needs; the sealed spec is added when the record is
 * written (agents/record.ts).
 */
export function agentRecord(
  spec: AgentRecord['spec'],
  status: AgentStatus,
  tasks: AgentRecord['tasks'] = [],
): AgentRecord {
  const { identity, spawn_id, repos, session_id, backend, created_at } = spec;
  return { status, tasks, spec: { identity, spawn_id, repos, session_id, backend, created_at } };
}
