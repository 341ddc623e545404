// The state between two runs: everything that is known of states of earlier builds. Pure: contract/wire only.
import type { AgentSpec } from '../../contract/wire/agent.ts';
import type { FollowUp, NoteKind } from '../../contract/wire/turns.ts';
import { SCHEMA } from './state.ts';
import type { AgentState, IdleCode } from './state.ts';
import { initialParentOutbox, specBudget } from './transitions.ts';

/** The state as the next run is given it. */
export function carriedState(state: AgentState): AgentState {
  return { ...state, run: { turns: 0, signals: 0 } };
}

/**
 * The state of the run before in the shape of this build. Throws a plain Error for one of a later build: the workflow task is
 * repeated until a worker of that build takes it.
 */
export function migrate(carried: CarriedState, spec: AgentSpec): AgentState {
  const { schema = 0 } = carried;
  if (schema > SCHEMA) {
    throw new Error(`the state has schema ${String(schema)}, and this build knows none above ${String(SCHEMA)}`);
  }
  return isCurrent(carried) ? carried : migrateSchema0(carried, spec);
}

/** What the oldest states do not have: families, budgets, notices and assessments came one after the other. */
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

/** A state of any build: `undefined` does not travel, as payloads are JSON. */
export type CarriedState = Omit<AgentState, LaterField> & Partial<Pick<AgentState, LaterField>>;

function isCurrent(carried: CarriedState): carried is AgentState {
  return carried.schema === SCHEMA;
}

/** Schema 0: its decisions looked at ids and sentences, which are codes since. */
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

/** The id of such a message is its kind with a number. */
function withNote(input: FollowUp): FollowUp {
  if (input.kind !== 'system' || input.note !== undefined) return input;
  return { ...input, note: input.id.replace(/-\d+$/, '') as NoteKind };
}
