// The state that one run carries over to the next, and all knowledge of the states of earlier builds. Pure:
// contract/wire only.
import type { AgentSpec } from '../../contract/wire/agent.ts';
import type { FollowUp, NoteKind } from '../../contract/wire/turns.ts';
import { SCHEMA } from './state.ts';
import type { AgentState, IdleCode } from './state.ts';
import { initialParentOutbox, specBudget } from './transitions.ts';

/** The state to pass to the next run. */
export function carriedState(state: AgentState): AgentState {
  return { ...state, run: { turns: 0, signals: 0 } };
}

/**
 * Converts the state of the previous run to this build's schema. Throws a plain Error for the state of a later build:
 * Temporal retries the workflow task until a worker of that build takes it.
 */
export function migrate(carried: CarriedState, spec: AgentSpec): AgentState {
  const { schema = 0 } = carried;
  if (schema > SCHEMA) {
    throw new Error(`the state has schema ${String(schema)}, but this build supports at most ${String(SCHEMA)}`);
  }
  return isCurrent(carried) ? carried : migrateSchema0(carried, spec);
}

/** Fields that the oldest states lack: children, budgets, notices and assessments were added one after another. */
type LaterField =
  | 'schema'
  | 'idle_code'
  | 'children'
  | 'forgotten_cost_usd'
  | 'to_parent'
  | 'told'
  | 'budget'
  | 'notices'
  | 'assessments'
  | 'assessing'
  | 'missing';

/** A state of any build. Fields with the value `undefined` are missing, because payloads are JSON. */
export type CarriedState = Omit<AgentState, LaterField> & Partial<Pick<AgentState, LaterField>>;

function isCurrent(carried: CarriedState): carried is AgentState {
  return carried.schema === SCHEMA;
}

/** Schema 0: its decisions depended on ids and texts, which are codes now. */
function migrateSchema0(carried: CarriedState, spec: AgentSpec): AgentState {
  const { due, phase, reason, turn } = carried;
  return {
    children: [],
    forgotten_cost_usd: 0,
    to_parent: initialParentOutbox(spec),
    told: 0,
    budget: specBudget(spec),
    notices: [],
    assessments: 0,
    assessing: undefined,
    missing: [],
    ...carried,
    schema: SCHEMA,
    idle_code: phase === 'idle' ? idleCodeOf(reason) : undefined,
    due: due.map(withNote),
    turn: turn && { ...turn, inputs: turn.inputs.map(withNote) },
  };
}

function idleCodeOf(reason = ''): IdleCode | undefined {
  if (reason === 'waits for its children') return 'waits_for_children';
  return reason.startsWith('interrupted') ? 'interrupted' : undefined;
}

/** The id of Murmur's own message is its kind followed by a number. */
function withNote(input: FollowUp): FollowUp {
  if (input.kind !== 'system' || input.note !== undefined) return input;
  return { ...input, note: input.id.replace(/-\d+$/, '') as NoteKind };
}
